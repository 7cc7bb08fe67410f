/// `mainstay server`: what runs all the time. The only Spring in the tree.
@NullMarked
package dev.mainstay.server;

import org.jspecify.annotations.NullMarked;
