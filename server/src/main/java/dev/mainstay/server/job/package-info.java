/// Everything that runs long: asked for, done by one of the servers, told about, remembered.
@NullMarked
package dev.mainstay.server.job;

import org.jspecify.annotations.NullMarked;
