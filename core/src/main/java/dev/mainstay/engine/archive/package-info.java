/// WAL in and out: received over the replication protocol or pushed by `archive_command`, and
/// served to `restore_command`.
@NullMarked
package dev.mainstay.engine.archive;

import org.jspecify.annotations.NullMarked;
