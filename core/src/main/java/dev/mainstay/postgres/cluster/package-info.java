@NullMarked
package dev.mainstay.postgres.cluster;

import org.jspecify.annotations.NullMarked;
