@NullMarked
package dev.mainstay.engine.backup;

import org.jspecify.annotations.NullMarked;
