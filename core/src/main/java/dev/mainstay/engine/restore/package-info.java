@NullMarked
package dev.mainstay.engine.restore;

import org.jspecify.annotations.NullMarked;
