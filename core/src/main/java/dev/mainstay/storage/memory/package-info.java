@NullMarked
package dev.mainstay.storage.memory;

import org.jspecify.annotations.NullMarked;
