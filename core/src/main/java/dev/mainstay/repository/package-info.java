/// The [dev.mainstay.repository.Repository] door: backups, WAL and records, sealed and written
/// once, in one object store.
@NullMarked
package dev.mainstay.repository;

import org.jspecify.annotations.NullMarked;
