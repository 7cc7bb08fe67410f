/// Spans of what a server does, sent to a collector where the configuration names one.
@NullMarked
package dev.mainstay.server.trace;

import org.jspecify.annotations.NullMarked;
