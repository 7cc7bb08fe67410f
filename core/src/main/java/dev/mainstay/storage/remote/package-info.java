/// Stores that are reached over a network: where they are, and the door to the modules that speak
/// to them. The modules are found at run time, and only when a repository lies there.
@NullMarked
package dev.mainstay.storage.remote;

import org.jspecify.annotations.NullMarked;
