@NullMarked
package dev.mainstay.engine.archive;

import org.jspecify.annotations.NullMarked;
