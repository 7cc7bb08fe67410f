/// What tests of every module share: real PostgreSQL clusters, judges of their content and
/// structure, generated load.
@NullMarked
package dev.mainstay.testkit;

import org.jspecify.annotations.NullMarked;
