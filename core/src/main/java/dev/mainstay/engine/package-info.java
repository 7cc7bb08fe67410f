@NullMarked
package dev.mainstay.engine;

import org.jspecify.annotations.NullMarked;
