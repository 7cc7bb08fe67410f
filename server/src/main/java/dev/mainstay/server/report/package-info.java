/// What people read in the morning.
@NullMarked
package dev.mainstay.server.report;

import org.jspecify.annotations.NullMarked;
