/// What is done when: the schedules of the configuration, and what became of each of their times.
@NullMarked
package dev.mainstay.server.schedule;

import org.jspecify.annotations.NullMarked;
