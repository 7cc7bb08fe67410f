/// Values that every room uses: ids, sizes, log positions, and the error catalogue. JDK only.
@NullMarked
package dev.mainstay.base;

import org.jspecify.annotations.NullMarked;
