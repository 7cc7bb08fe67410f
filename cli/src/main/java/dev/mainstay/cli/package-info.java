/// The command line: one small class a verb ([Verb]), each of which reads its arguments, calls the
/// engine and answers a [Document] that prints as text or as JSON.
@NullMarked
package dev.mainstay.cli;

import org.jspecify.annotations.NullMarked;
