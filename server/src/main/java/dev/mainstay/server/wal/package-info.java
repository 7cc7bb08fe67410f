/// WAL that flows as long as a server runs.
@NullMarked
package dev.mainstay.server.wal;

import org.jspecify.annotations.NullMarked;
