/// Backing up a PostgreSQL cluster: what is checked first, what is read in which order, what is
/// recorded.
@NullMarked
package dev.mainstay.engine.backup;

import org.jspecify.annotations.NullMarked;
