/// Byte layouts of repository format 1, readers and writers side by side. The specification is
/// `docs/format.md`; every class here names its section.
@NullMarked
package dev.mainstay.repository.format;

import org.jspecify.annotations.NullMarked;
