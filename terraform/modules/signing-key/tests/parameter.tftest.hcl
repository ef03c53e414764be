# A real apply of keys in parameters.

run "parameters_that_wait_for_their_values" {
  module {
    source = "./tests/parameters"
  }

  assert {
    condition     = output.keys["plain"].signer == "ssm:/parameters/plain" && output.keys["plain"].parameter_name == "/parameters/plain" && output.keys["plain"].kms_key_arn == null
    error_message = "The signer is the parameter."
  }
  assert {
    condition     = output.keys["plain"].public_key_pem == file("tests/keys/public.pem")
    error_message = "The public half is passed on."
  }
  assert {
    condition = jsondecode(output.keys["plain"].iam_policy_json).Statement == [
      { Sid = "ReadParameter", Effect = "Allow", Action = "ssm:GetParameter", Resource = output.keys["plain"].parameter_arn },
    ]
    error_message = "A signer may read this one parameter, and nothing else."
  }
  assert {
    condition = jsondecode(output.keys["encrypted"].iam_policy_json).Statement == [
      { Sid = "ReadParameter", Effect = "Allow", Action = "ssm:GetParameter", Resource = output.keys["encrypted"].parameter_arn },
      {
        Sid       = "DecryptParameter", Effect = "Allow", Action = "kms:Decrypt",
        Resource  = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
        Condition = { StringEquals = { "kms:EncryptionContext:PARAMETER_ARN" = output.keys["encrypted"].parameter_arn } }
      },
    ]
    error_message = "A customer's key decrypts this one parameter, and nothing else."
  }
}
