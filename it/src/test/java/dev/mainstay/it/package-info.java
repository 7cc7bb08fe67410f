/// End to end on real PostgreSQL.
@NullMarked
package dev.mainstay.it;

import org.jspecify.annotations.NullMarked;
