/// Who did what, from where, when, and with what outcome: on record before it is done, chained,
/// and put into the repository under a signed head.
@NullMarked
package dev.mainstay.server.audit;

import org.jspecify.annotations.NullMarked;
