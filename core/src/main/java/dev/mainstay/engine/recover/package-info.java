/// Brings back single tables: a restore into a sandbox, an export and an import.
@NullMarked
package dev.mainstay.engine.recover;

import org.jspecify.annotations.NullMarked;
