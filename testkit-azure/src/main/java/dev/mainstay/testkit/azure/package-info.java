/// A server that speaks Azure Blob, for tests.
@NullMarked
package dev.mainstay.testkit.azure;

import org.jspecify.annotations.NullMarked;
