@NullMarked
package dev.mainstay.postgres;

import org.jspecify.annotations.NullMarked;
