@NullMarked
package dev.mainstay.postgres.protocol;

import org.jspecify.annotations.NullMarked;
