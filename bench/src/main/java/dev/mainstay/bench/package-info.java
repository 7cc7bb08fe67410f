/// Measurements that decisions rest upon.
@NullMarked
package dev.mainstay.bench;

import org.jspecify.annotations.NullMarked;
