/// `/api/v1`.
@NullMarked
package dev.mainstay.server.api;

import org.jspecify.annotations.NullMarked;
