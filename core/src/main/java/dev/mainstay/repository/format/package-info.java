@NullMarked
package dev.mainstay.repository.format;

import org.jspecify.annotations.NullMarked;
