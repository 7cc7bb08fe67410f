/// The server's own database: everything that is no backup.
@NullMarked
package dev.mainstay.server.state;

import org.jspecify.annotations.NullMarked;
