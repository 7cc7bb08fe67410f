/// The paths that operators' scripts and dashboards already call, answered by the same operations as
/// `/api/v1`. Nothing else is here, and nothing depends on it.
@NullMarked
package dev.mainstay.server.operators;

import org.jspecify.annotations.NullMarked;
