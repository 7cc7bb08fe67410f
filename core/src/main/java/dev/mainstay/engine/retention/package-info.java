/// Which backups are kept, which go, and what can be recovered then.
@NullMarked
package dev.mainstay.engine.retention;

import org.jspecify.annotations.NullMarked;
