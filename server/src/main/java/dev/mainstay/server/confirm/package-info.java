/// What is needed before something is destroyed.
@NullMarked
package dev.mainstay.server.confirm;

import org.jspecify.annotations.NullMarked;
