/// Tests of what only this package may open.
@org.jspecify.annotations.NullMarked
package dev.mainstay.storage.local;
