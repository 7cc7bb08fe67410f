/// What the repository holds, kept for some seconds for those who ask often.
@NullMarked
package dev.mainstay.server.view;

import org.jspecify.annotations.NullMarked;
