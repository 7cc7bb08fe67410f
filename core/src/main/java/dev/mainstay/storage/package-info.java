/// Where objects are kept: the [dev.mainstay.storage.ObjectStore] door and its adapters.
@NullMarked
package dev.mainstay.storage;

import org.jspecify.annotations.NullMarked;
