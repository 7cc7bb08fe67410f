@NullMarked
package dev.mainstay.storage.wrap;

import org.jspecify.annotations.NullMarked;
