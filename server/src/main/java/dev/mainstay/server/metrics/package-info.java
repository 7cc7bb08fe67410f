/// What is known of the state of protection, found out in the background, and `/metrics`, which
/// tells it.
@NullMarked
package dev.mainstay.server.metrics;

import org.jspecify.annotations.NullMarked;
