locals {
  statements = concat([for statement in local.sign : statement if local.kms], [
    for statement in concat(local.read, local.decrypt) : statement if !local.kms
  ])

  sign = [
    {
      Sid      = "ReadPublicKey"
      Effect   = "Allow"
      Action   = "kms:GetPublicKey"
      Resource = one(aws_kms_key.this[*].arn)
    },
    {
      Sid      = "Sign"
      Effect   = "Allow"
      Action   = "kms:Sign"
      Resource = one(aws_kms_key.this[*].arn)
      Condition = {
        StringEquals = {
          "kms:SigningAlgorithm" = var.kms_key_spec == "RSA_2048" ? "RSASSA_PKCS1_V1_5_SHA_256" : "ECDSA_SHA_256"
        }
      }
    },
  ]

  read = [{
    Sid      = "ReadParameter"
    Effect   = "Allow"
    Action   = "ssm:GetParameter"
    Resource = local.parameter_arn
  }]

  # With SSM's own key, everybody who may read the parameter may decrypt it. A customer managed key needs kms:Decrypt.
  decrypt = var.parameter_kms_key_arn == null ? [] : [{
    Sid      = "DecryptParameter"
    Effect   = "Allow"
    Action   = "kms:Decrypt"
    Resource = var.parameter_kms_key_arn
    Condition = {
      StringEquals = { "kms:EncryptionContext:PARAMETER_ARN" = local.parameter_arn }
    }
  }]
}
