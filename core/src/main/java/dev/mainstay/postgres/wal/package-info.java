@NullMarked
package dev.mainstay.postgres.wal;

import org.jspecify.annotations.NullMarked;
