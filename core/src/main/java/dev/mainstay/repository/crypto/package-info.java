@NullMarked
package dev.mainstay.repository.crypto;

import org.jspecify.annotations.NullMarked;
