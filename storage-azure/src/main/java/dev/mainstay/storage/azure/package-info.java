/// Repositories in Azure Blob Storage, by Microsoft's SDK.
@NullMarked
package dev.mainstay.storage.azure;

import org.jspecify.annotations.NullMarked;
