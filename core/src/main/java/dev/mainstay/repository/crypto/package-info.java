/// The keys of a repository: root keys wrapped for recipients, source keys wrapped by the root key
/// (docs/format.md section 5).
@NullMarked
package dev.mainstay.repository.crypto;

import org.jspecify.annotations.NullMarked;
