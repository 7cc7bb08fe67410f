/// Objects in S3 and servers that are compatible with it, by the AWS SDK.
@NullMarked
package dev.mainstay.storage.s3;

import org.jspecify.annotations.NullMarked;
