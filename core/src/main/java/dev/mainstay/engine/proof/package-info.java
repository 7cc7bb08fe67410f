@NullMarked
package dev.mainstay.engine.proof;

import org.jspecify.annotations.NullMarked;
