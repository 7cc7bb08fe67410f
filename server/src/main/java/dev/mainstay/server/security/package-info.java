/// Who may do what.
@NullMarked
package dev.mainstay.server.security;

import org.jspecify.annotations.NullMarked;
