@NullMarked
package dev.mainstay.storage.local;

import org.jspecify.annotations.NullMarked;
