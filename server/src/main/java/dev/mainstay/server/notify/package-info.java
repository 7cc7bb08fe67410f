/// Telling people, and their programs: channels, what is to be told, and what became of it.
@NullMarked
package dev.mainstay.server.notify;

import org.jspecify.annotations.NullMarked;
