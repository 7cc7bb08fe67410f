/// The configuration of a running server, and how it takes another one.
@NullMarked
package dev.mainstay.server.live;

import org.jspecify.annotations.NullMarked;
