/// What is wrong, and who knows it: rules that judge facts, and the alerts that come of it.
@NullMarked
package dev.mainstay.server.alert;

import org.jspecify.annotations.NullMarked;
