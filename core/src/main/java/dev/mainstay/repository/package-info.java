@NullMarked
package dev.mainstay.repository;

import org.jspecify.annotations.NullMarked;
