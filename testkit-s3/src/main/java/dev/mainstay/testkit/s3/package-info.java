/// A server that speaks S3, for tests.
@NullMarked
package dev.mainstay.testkit.s3;

import org.jspecify.annotations.NullMarked;
