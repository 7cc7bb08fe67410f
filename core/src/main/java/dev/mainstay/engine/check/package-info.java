/// Whether everything is ready to back up, archive and restore, and what to do where it is not.
@NullMarked
package dev.mainstay.engine.check;

import org.jspecify.annotations.NullMarked;
