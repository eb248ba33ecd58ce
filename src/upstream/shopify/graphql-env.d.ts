/* eslint-disable */
/* prettier-ignore */

export type introspection_types = {
  AccessScope: {
    kind: 'OBJECT';
    name: 'AccessScope';
    fields: {
      description: {
        name: 'description';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      handle: {
        name: 'handle';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
    };
  };
  AppInstallation: {
    kind: 'OBJECT';
    name: 'AppInstallation';
    fields: {
      accessScopes: {
        name: 'accessScopes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'AccessScope'; ofType: null };
            };
          };
        };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      launchUrl: {
        name: 'launchUrl';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
      };
      uninstallUrl: { name: 'uninstallUrl'; type: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
    };
  };
  Attribute: {
    kind: 'OBJECT';
    name: 'Attribute';
    fields: {
      key: {
        name: 'key';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      value: { name: 'value'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
    };
  };
  AttributeInput: {
    kind: 'INPUT_OBJECT';
    name: 'AttributeInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'key';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'value';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  Audience: { name: 'Audience'; enumValues: 'CUSTOMERVIEW' | 'MERCHANTVIEW' };
  Boolean: unknown;
  BundlesDraftOrderBundleLineItemComponentInput: {
    kind: 'INPUT_OBJECT';
    name: 'BundlesDraftOrderBundleLineItemComponentInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'quantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
        defaultValue: null;
      },
      { name: 'uuid'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'variantId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
    ];
  };
  CombinedListingsRole: { name: 'CombinedListingsRole'; enumValues: 'CHILD' | 'PARENT' };
  ContextualPublicationContext: {
    kind: 'INPUT_OBJECT';
    name: 'ContextualPublicationContext';
    isOneOf: false;
    inputFields: [
      { name: 'companyLocationId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      { name: 'country'; type: { kind: 'ENUM'; name: 'CountryCode'; ofType: null }; defaultValue: null },
      { name: 'locationId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
    ];
  };
  Count: {
    kind: 'OBJECT';
    name: 'Count';
    fields: {
      count: {
        name: 'count';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      precision: {
        name: 'precision';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'CountPrecision'; ofType: null };
        };
      };
    };
  };
  CountPrecision: { name: 'CountPrecision'; enumValues: 'AT_LEAST' | 'EXACT' };
  CountryCode: {
    name: 'CountryCode';
    enumValues:
      | 'AC'
      | 'AD'
      | 'AE'
      | 'AF'
      | 'AG'
      | 'AI'
      | 'AL'
      | 'AM'
      | 'AN'
      | 'AO'
      | 'AR'
      | 'AT'
      | 'AU'
      | 'AW'
      | 'AX'
      | 'AZ'
      | 'BA'
      | 'BB'
      | 'BD'
      | 'BE'
      | 'BF'
      | 'BG'
      | 'BH'
      | 'BI'
      | 'BJ'
      | 'BL'
      | 'BM'
      | 'BN'
      | 'BO'
      | 'BQ'
      | 'BR'
      | 'BS'
      | 'BT'
      | 'BV'
      | 'BW'
      | 'BY'
      | 'BZ'
      | 'CA'
      | 'CC'
      | 'CD'
      | 'CF'
      | 'CG'
      | 'CH'
      | 'CI'
      | 'CK'
      | 'CL'
      | 'CM'
      | 'CN'
      | 'CO'
      | 'CR'
      | 'CU'
      | 'CV'
      | 'CW'
      | 'CX'
      | 'CY'
      | 'CZ'
      | 'DE'
      | 'DJ'
      | 'DK'
      | 'DM'
      | 'DO'
      | 'DZ'
      | 'EC'
      | 'EE'
      | 'EG'
      | 'EH'
      | 'ER'
      | 'ES'
      | 'ET'
      | 'FI'
      | 'FJ'
      | 'FK'
      | 'FO'
      | 'FR'
      | 'GA'
      | 'GB'
      | 'GD'
      | 'GE'
      | 'GF'
      | 'GG'
      | 'GH'
      | 'GI'
      | 'GL'
      | 'GM'
      | 'GN'
      | 'GP'
      | 'GQ'
      | 'GR'
      | 'GS'
      | 'GT'
      | 'GW'
      | 'GY'
      | 'HK'
      | 'HM'
      | 'HN'
      | 'HR'
      | 'HT'
      | 'HU'
      | 'ID'
      | 'IE'
      | 'IL'
      | 'IM'
      | 'IN'
      | 'IO'
      | 'IQ'
      | 'IR'
      | 'IS'
      | 'IT'
      | 'JE'
      | 'JM'
      | 'JO'
      | 'JP'
      | 'KE'
      | 'KG'
      | 'KH'
      | 'KI'
      | 'KM'
      | 'KN'
      | 'KP'
      | 'KR'
      | 'KW'
      | 'KY'
      | 'KZ'
      | 'LA'
      | 'LB'
      | 'LC'
      | 'LI'
      | 'LK'
      | 'LR'
      | 'LS'
      | 'LT'
      | 'LU'
      | 'LV'
      | 'LY'
      | 'MA'
      | 'MC'
      | 'MD'
      | 'ME'
      | 'MF'
      | 'MG'
      | 'MK'
      | 'ML'
      | 'MM'
      | 'MN'
      | 'MO'
      | 'MQ'
      | 'MR'
      | 'MS'
      | 'MT'
      | 'MU'
      | 'MV'
      | 'MW'
      | 'MX'
      | 'MY'
      | 'MZ'
      | 'NA'
      | 'NC'
      | 'NE'
      | 'NF'
      | 'NG'
      | 'NI'
      | 'NL'
      | 'NO'
      | 'NP'
      | 'NR'
      | 'NU'
      | 'NZ'
      | 'OM'
      | 'PA'
      | 'PE'
      | 'PF'
      | 'PG'
      | 'PH'
      | 'PK'
      | 'PL'
      | 'PM'
      | 'PN'
      | 'PS'
      | 'PT'
      | 'PY'
      | 'QA'
      | 'RE'
      | 'RO'
      | 'RS'
      | 'RU'
      | 'RW'
      | 'SA'
      | 'SB'
      | 'SC'
      | 'SD'
      | 'SE'
      | 'SG'
      | 'SH'
      | 'SI'
      | 'SJ'
      | 'SK'
      | 'SL'
      | 'SM'
      | 'SN'
      | 'SO'
      | 'SR'
      | 'SS'
      | 'ST'
      | 'SV'
      | 'SX'
      | 'SY'
      | 'SZ'
      | 'TA'
      | 'TC'
      | 'TD'
      | 'TF'
      | 'TG'
      | 'TH'
      | 'TJ'
      | 'TK'
      | 'TL'
      | 'TM'
      | 'TN'
      | 'TO'
      | 'TR'
      | 'TT'
      | 'TV'
      | 'TW'
      | 'TZ'
      | 'UA'
      | 'UG'
      | 'UM'
      | 'US'
      | 'UY'
      | 'UZ'
      | 'VA'
      | 'VC'
      | 'VE'
      | 'VG'
      | 'VN'
      | 'VU'
      | 'WF'
      | 'WS'
      | 'XK'
      | 'YE'
      | 'YT'
      | 'ZA'
      | 'ZM'
      | 'ZW'
      | 'ZZ';
  };
  CreateMediaInput: {
    kind: 'INPUT_OBJECT';
    name: 'CreateMediaInput';
    isOneOf: false;
    inputFields: [
      { name: 'alt'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'mediaContentType';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'MediaContentType'; ofType: null };
        };
        defaultValue: null;
      },
      {
        name: 'originalSource';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  CurrencyCode: {
    name: 'CurrencyCode';
    enumValues:
      | 'AED'
      | 'AFN'
      | 'ALL'
      | 'AMD'
      | 'ANG'
      | 'AOA'
      | 'ARS'
      | 'AUD'
      | 'AWG'
      | 'AZN'
      | 'BAM'
      | 'BBD'
      | 'BDT'
      | 'BGN'
      | 'BHD'
      | 'BIF'
      | 'BMD'
      | 'BND'
      | 'BOB'
      | 'BRL'
      | 'BSD'
      | 'BTN'
      | 'BWP'
      | 'BYN'
      | 'BYR'
      | 'BZD'
      | 'CAD'
      | 'CDF'
      | 'CHF'
      | 'CLP'
      | 'CNY'
      | 'COP'
      | 'CRC'
      | 'CVE'
      | 'CZK'
      | 'DJF'
      | 'DKK'
      | 'DOP'
      | 'DZD'
      | 'EGP'
      | 'ERN'
      | 'ETB'
      | 'EUR'
      | 'FJD'
      | 'FKP'
      | 'GBP'
      | 'GEL'
      | 'GHS'
      | 'GIP'
      | 'GMD'
      | 'GNF'
      | 'GTQ'
      | 'GYD'
      | 'HKD'
      | 'HNL'
      | 'HRK'
      | 'HTG'
      | 'HUF'
      | 'IDR'
      | 'ILS'
      | 'INR'
      | 'IQD'
      | 'IRR'
      | 'ISK'
      | 'JEP'
      | 'JMD'
      | 'JOD'
      | 'JPY'
      | 'KES'
      | 'KGS'
      | 'KHR'
      | 'KID'
      | 'KMF'
      | 'KRW'
      | 'KWD'
      | 'KYD'
      | 'KZT'
      | 'LAK'
      | 'LBP'
      | 'LKR'
      | 'LRD'
      | 'LSL'
      | 'LTL'
      | 'LVL'
      | 'LYD'
      | 'MAD'
      | 'MDL'
      | 'MGA'
      | 'MKD'
      | 'MMK'
      | 'MNT'
      | 'MOP'
      | 'MRU'
      | 'MUR'
      | 'MVR'
      | 'MWK'
      | 'MXN'
      | 'MYR'
      | 'MZN'
      | 'NAD'
      | 'NGN'
      | 'NIO'
      | 'NOK'
      | 'NPR'
      | 'NZD'
      | 'OMR'
      | 'PAB'
      | 'PEN'
      | 'PGK'
      | 'PHP'
      | 'PKR'
      | 'PLN'
      | 'PYG'
      | 'QAR'
      | 'RON'
      | 'RSD'
      | 'RUB'
      | 'RWF'
      | 'SAR'
      | 'SBD'
      | 'SCR'
      | 'SDG'
      | 'SEK'
      | 'SGD'
      | 'SHP'
      | 'SLL'
      | 'SOS'
      | 'SRD'
      | 'SSP'
      | 'STD'
      | 'STN'
      | 'SYP'
      | 'SZL'
      | 'THB'
      | 'TJS'
      | 'TMT'
      | 'TND'
      | 'TOP'
      | 'TRY'
      | 'TTD'
      | 'TWD'
      | 'TZS'
      | 'UAH'
      | 'UGX'
      | 'USD'
      | 'USDC'
      | 'UYU'
      | 'UZS'
      | 'VED'
      | 'VEF'
      | 'VES'
      | 'VND'
      | 'VUV'
      | 'WST'
      | 'XAF'
      | 'XCD'
      | 'XOF'
      | 'XPF'
      | 'XXX'
      | 'YER'
      | 'ZAR'
      | 'ZMW';
  };
  DateTime: unknown;
  Decimal: unknown;
  DepositInput: {
    kind: 'INPUT_OBJECT';
    name: 'DepositInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'percentage';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Float'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  DisplayableError: {
    kind: 'INTERFACE';
    name: 'DisplayableError';
    fields: {
      field: {
        name: 'field';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
      };
      message: {
        name: 'message';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
    };
    possibleTypes:
      | 'InventoryAdjustQuantitiesUserError'
      | 'InventoryMoveQuantitiesUserError'
      | 'InventorySetQuantitiesUserError'
      | 'UserError';
  };
  DraftOrder: {
    kind: 'OBJECT';
    name: 'DraftOrder';
    fields: {
      acceptAutomaticDiscounts: {
        name: 'acceptAutomaticDiscounts';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
      };
      allVariantPricesOverridden: {
        name: 'allVariantPricesOverridden';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      allowDiscountCodesInCheckout: {
        name: 'allowDiscountCodesInCheckout';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      amountDueLaterSet: {
        name: 'amountDueLaterSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      amountDueNowSet: {
        name: 'amountDueNowSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      anyVariantPricesOverridden: {
        name: 'anyVariantPricesOverridden';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      billingAddress: {
        name: 'billingAddress';
        type: { kind: 'OBJECT'; name: 'MailingAddress'; ofType: null };
      };
      billingAddressMatchesShippingAddress: {
        name: 'billingAddressMatchesShippingAddress';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      completedAt: { name: 'completedAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      createdAt: {
        name: 'createdAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      currencyCode: {
        name: 'currencyCode';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'CurrencyCode'; ofType: null } };
      };
      customAttributes: {
        name: 'customAttributes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'Attribute'; ofType: null };
            };
          };
        };
      };
      defaultCursor: {
        name: 'defaultCursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      discountCodes: {
        name: 'discountCodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'SCALAR'; name: 'String'; ofType: null };
            };
          };
        };
      };
      email: { name: 'email'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      hasTimelineComment: {
        name: 'hasTimelineComment';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      invoiceEmailTemplateSubject: {
        name: 'invoiceEmailTemplateSubject';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      invoiceSentAt: { name: 'invoiceSentAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      invoiceUrl: { name: 'invoiceUrl'; type: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
      legacyResourceId: {
        name: 'legacyResourceId';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null };
        };
      };
      lineItems: {
        name: 'lineItems';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'DraftOrderLineItemConnection'; ofType: null };
        };
      };
      lineItemsSubtotalPrice: {
        name: 'lineItemsSubtotalPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      marketName: {
        name: 'marketName';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      marketRegionCountryCode: {
        name: 'marketRegionCountryCode';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'CountryCode'; ofType: null } };
      };
      name: {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      note2: { name: 'note2'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      order: { name: 'order'; type: { kind: 'OBJECT'; name: 'Order'; ofType: null } };
      phone: { name: 'phone'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      poNumber: { name: 'poNumber'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      presentmentCurrencyCode: {
        name: 'presentmentCurrencyCode';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'CurrencyCode'; ofType: null } };
      };
      ready: {
        name: 'ready';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      reserveInventoryUntil: {
        name: 'reserveInventoryUntil';
        type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null };
      };
      shippingAddress: {
        name: 'shippingAddress';
        type: { kind: 'OBJECT'; name: 'MailingAddress'; ofType: null };
      };
      status: {
        name: 'status';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'DraftOrderStatus'; ofType: null };
        };
      };
      subtotalPrice: {
        name: 'subtotalPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      subtotalPriceSet: {
        name: 'subtotalPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      tags: {
        name: 'tags';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'SCALAR'; name: 'String'; ofType: null };
            };
          };
        };
      };
      taxExempt: {
        name: 'taxExempt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      taxesIncluded: {
        name: 'taxesIncluded';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      totalDiscountsSet: {
        name: 'totalDiscountsSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalLineItemsPriceSet: {
        name: 'totalLineItemsPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalPrice: {
        name: 'totalPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalPriceSet: {
        name: 'totalPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalQuantityOfLineItems: {
        name: 'totalQuantityOfLineItems';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      totalShippingPrice: {
        name: 'totalShippingPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalShippingPriceSet: {
        name: 'totalShippingPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalTax: {
        name: 'totalTax';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalTaxSet: {
        name: 'totalTaxSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalWeight: {
        name: 'totalWeight';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null };
        };
      };
      transformerFingerprint: {
        name: 'transformerFingerprint';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      updatedAt: {
        name: 'updatedAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      visibleToCustomer: {
        name: 'visibleToCustomer';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      warnings: {
        name: 'warnings';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'INTERFACE'; name: 'DraftOrderWarning'; ofType: null };
            };
          };
        };
      };
    };
  };
  DraftOrderAppliedDiscountInput: {
    kind: 'INPUT_OBJECT';
    name: 'DraftOrderAppliedDiscountInput';
    isOneOf: false;
    inputFields: [
      { name: 'amount'; type: { kind: 'SCALAR'; name: 'Money'; ofType: null }; defaultValue: null },
      {
        name: 'amountWithCurrency';
        type: { kind: 'INPUT_OBJECT'; name: 'MoneyInput'; ofType: null };
        defaultValue: null;
      },
      { name: 'description'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'title'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'value';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Float'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'valueType';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'DraftOrderAppliedDiscountType'; ofType: null };
        };
        defaultValue: null;
      },
    ];
  };
  DraftOrderAppliedDiscountType: {
    name: 'DraftOrderAppliedDiscountType';
    enumValues: 'FIXED_AMOUNT' | 'PERCENTAGE';
  };
  DraftOrderCompletePayload: {
    kind: 'OBJECT';
    name: 'DraftOrderCompletePayload';
    fields: {
      draftOrder: { name: 'draftOrder'; type: { kind: 'OBJECT'; name: 'DraftOrder'; ofType: null } };
      userErrors: {
        name: 'userErrors';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'UserError'; ofType: null };
            };
          };
        };
      };
    };
  };
  DraftOrderConnection: {
    kind: 'OBJECT';
    name: 'DraftOrderConnection';
    fields: {
      edges: {
        name: 'edges';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'DraftOrderEdge'; ofType: null };
            };
          };
        };
      };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'DraftOrder'; ofType: null };
            };
          };
        };
      };
      pageInfo: {
        name: 'pageInfo';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null } };
      };
    };
  };
  DraftOrderCreatePayload: {
    kind: 'OBJECT';
    name: 'DraftOrderCreatePayload';
    fields: {
      draftOrder: { name: 'draftOrder'; type: { kind: 'OBJECT'; name: 'DraftOrder'; ofType: null } };
      userErrors: {
        name: 'userErrors';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'UserError'; ofType: null };
            };
          };
        };
      };
    };
  };
  DraftOrderDeleteInput: {
    kind: 'INPUT_OBJECT';
    name: 'DraftOrderDeleteInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  DraftOrderDeletePayload: {
    kind: 'OBJECT';
    name: 'DraftOrderDeletePayload';
    fields: {
      deletedId: { name: 'deletedId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      userErrors: {
        name: 'userErrors';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'UserError'; ofType: null };
            };
          };
        };
      };
    };
  };
  DraftOrderEdge: {
    kind: 'OBJECT';
    name: 'DraftOrderEdge';
    fields: {
      cursor: {
        name: 'cursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      node: {
        name: 'node';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'DraftOrder'; ofType: null } };
      };
    };
  };
  DraftOrderInput: {
    kind: 'INPUT_OBJECT';
    name: 'DraftOrderInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'acceptAutomaticDiscounts';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'allowDiscountCodesInCheckout';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'appliedDiscount';
        type: { kind: 'INPUT_OBJECT'; name: 'DraftOrderAppliedDiscountInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'billingAddress';
        type: { kind: 'INPUT_OBJECT'; name: 'MailingAddressInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'customAttributes';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'AttributeInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      { name: 'customerId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      {
        name: 'deposit';
        type: { kind: 'INPUT_OBJECT'; name: 'DepositInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'discountCodes';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
        defaultValue: null;
      },
      { name: 'email'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'lineItems';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'DraftOrderLineItemInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      {
        name: 'localizationExtensions';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'LocalizationExtensionInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      {
        name: 'localizedFields';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'LocalizedFieldInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      {
        name: 'marketRegionCountryCode';
        type: { kind: 'ENUM'; name: 'CountryCode'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'metafields';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'MetafieldInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      { name: 'note'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'paymentTerms';
        type: { kind: 'INPUT_OBJECT'; name: 'PaymentTermsInput'; ofType: null };
        defaultValue: null;
      },
      { name: 'phone'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'poNumber'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'presentmentCurrencyCode';
        type: { kind: 'ENUM'; name: 'CurrencyCode'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'purchasingEntity';
        type: { kind: 'INPUT_OBJECT'; name: 'PurchasingEntityInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'reserveInventoryUntil';
        type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null };
        defaultValue: null;
      },
      { name: 'sessionToken'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'shippingAddress';
        type: { kind: 'INPUT_OBJECT'; name: 'MailingAddressInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'shippingLine';
        type: { kind: 'INPUT_OBJECT'; name: 'ShippingLineInput'; ofType: null };
        defaultValue: null;
      },
      { name: 'sourceName'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'tags';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
        defaultValue: null;
      },
      { name: 'taxExempt'; type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null }; defaultValue: null },
      {
        name: 'transformerFingerprint';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'useCustomerDefaultAddress';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'visibleToCustomer';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
    ];
  };
  DraftOrderLineItem: {
    kind: 'OBJECT';
    name: 'DraftOrderLineItem';
    fields: {
      approximateDiscountedUnitPriceSet: {
        name: 'approximateDiscountedUnitPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      bundleComponents: {
        name: 'bundleComponents';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'DraftOrderLineItem'; ofType: null };
            };
          };
        };
      };
      components: {
        name: 'components';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'DraftOrderLineItem'; ofType: null };
            };
          };
        };
      };
      custom: {
        name: 'custom';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      customAttributes: {
        name: 'customAttributes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'Attribute'; ofType: null };
            };
          };
        };
      };
      discountedTotal: {
        name: 'discountedTotal';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      discountedTotalSet: {
        name: 'discountedTotalSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      discountedUnitPrice: {
        name: 'discountedUnitPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      discountedUnitPriceSet: {
        name: 'discountedUnitPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      grams: { name: 'grams'; type: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      isGiftCard: {
        name: 'isGiftCard';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      name: {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      originalTotal: {
        name: 'originalTotal';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      originalTotalSet: {
        name: 'originalTotalSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      originalUnitPrice: {
        name: 'originalUnitPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      originalUnitPriceSet: {
        name: 'originalUnitPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      originalUnitPriceWithCurrency: {
        name: 'originalUnitPriceWithCurrency';
        type: { kind: 'OBJECT'; name: 'MoneyV2'; ofType: null };
      };
      priceOverride: { name: 'priceOverride'; type: { kind: 'OBJECT'; name: 'MoneyV2'; ofType: null } };
      product: { name: 'product'; type: { kind: 'OBJECT'; name: 'Product'; ofType: null } };
      quantity: {
        name: 'quantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      requiresShipping: {
        name: 'requiresShipping';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      sku: { name: 'sku'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      taxable: {
        name: 'taxable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      title: {
        name: 'title';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      totalDiscount: {
        name: 'totalDiscount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalDiscountSet: {
        name: 'totalDiscountSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      uuid: {
        name: 'uuid';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      variant: { name: 'variant'; type: { kind: 'OBJECT'; name: 'ProductVariant'; ofType: null } };
      variantTitle: { name: 'variantTitle'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      vendor: { name: 'vendor'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
    };
  };
  DraftOrderLineItemComponentInput: {
    kind: 'INPUT_OBJECT';
    name: 'DraftOrderLineItemComponentInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'quantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
        defaultValue: null;
      },
      { name: 'uuid'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'variantId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
    ];
  };
  DraftOrderLineItemConnection: {
    kind: 'OBJECT';
    name: 'DraftOrderLineItemConnection';
    fields: {
      edges: {
        name: 'edges';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'DraftOrderLineItemEdge'; ofType: null };
            };
          };
        };
      };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'DraftOrderLineItem'; ofType: null };
            };
          };
        };
      };
      pageInfo: {
        name: 'pageInfo';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null } };
      };
    };
  };
  DraftOrderLineItemEdge: {
    kind: 'OBJECT';
    name: 'DraftOrderLineItemEdge';
    fields: {
      cursor: {
        name: 'cursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      node: {
        name: 'node';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'DraftOrderLineItem'; ofType: null };
        };
      };
    };
  };
  DraftOrderLineItemInput: {
    kind: 'INPUT_OBJECT';
    name: 'DraftOrderLineItemInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'appliedDiscount';
        type: { kind: 'INPUT_OBJECT'; name: 'DraftOrderAppliedDiscountInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'bundleComponents';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: {
              kind: 'INPUT_OBJECT';
              name: 'BundlesDraftOrderBundleLineItemComponentInput';
              ofType: null;
            };
          };
        };
        defaultValue: null;
      },
      {
        name: 'components';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'DraftOrderLineItemComponentInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      {
        name: 'customAttributes';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'AttributeInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      {
        name: 'generatePriceOverride';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
      { name: 'grams'; type: { kind: 'SCALAR'; name: 'Int'; ofType: null }; defaultValue: null },
      {
        name: 'originalUnitPrice';
        type: { kind: 'SCALAR'; name: 'Money'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'originalUnitPriceWithCurrency';
        type: { kind: 'INPUT_OBJECT'; name: 'MoneyInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'priceOverride';
        type: { kind: 'INPUT_OBJECT'; name: 'MoneyInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'quantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'requiresShipping';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
      { name: 'sku'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'taxable'; type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null }; defaultValue: null },
      { name: 'title'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'uuid'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'variantId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      {
        name: 'weight';
        type: { kind: 'INPUT_OBJECT'; name: 'WeightInput'; ofType: null };
        defaultValue: null;
      },
    ];
  };
  DraftOrderSortKeys: {
    name: 'DraftOrderSortKeys';
    enumValues: 'CUSTOMER_NAME' | 'ID' | 'NUMBER' | 'RELEVANCE' | 'STATUS' | 'TOTAL_PRICE' | 'UPDATED_AT';
  };
  DraftOrderStatus: { name: 'DraftOrderStatus'; enumValues: 'COMPLETED' | 'INVOICE_SENT' | 'OPEN' };
  DraftOrderUpdatePayload: {
    kind: 'OBJECT';
    name: 'DraftOrderUpdatePayload';
    fields: {
      draftOrder: { name: 'draftOrder'; type: { kind: 'OBJECT'; name: 'DraftOrder'; ofType: null } };
      userErrors: {
        name: 'userErrors';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'UserError'; ofType: null };
            };
          };
        };
      };
    };
  };
  DraftOrderWarning: {
    kind: 'INTERFACE';
    name: 'DraftOrderWarning';
    fields: {
      errorCode: {
        name: 'errorCode';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      field: {
        name: 'field';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      message: {
        name: 'message';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
    };
    possibleTypes: never;
  };
  Float: unknown;
  HTML: unknown;
  ID: unknown;
  Int: unknown;
  InventoryAdjustQuantitiesInput: {
    kind: 'INPUT_OBJECT';
    name: 'InventoryAdjustQuantitiesInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'changes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'INPUT_OBJECT'; name: 'InventoryChangeInput'; ofType: null };
            };
          };
        };
        defaultValue: null;
      },
      {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'reason';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'referenceDocumentUri';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
        defaultValue: null;
      },
    ];
  };
  InventoryAdjustQuantitiesPayload: {
    kind: 'OBJECT';
    name: 'InventoryAdjustQuantitiesPayload';
    fields: {
      inventoryAdjustmentGroup: {
        name: 'inventoryAdjustmentGroup';
        type: { kind: 'OBJECT'; name: 'InventoryAdjustmentGroup'; ofType: null };
      };
      userErrors: {
        name: 'userErrors';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'InventoryAdjustQuantitiesUserError'; ofType: null };
            };
          };
        };
      };
    };
  };
  InventoryAdjustQuantitiesUserError: {
    kind: 'OBJECT';
    name: 'InventoryAdjustQuantitiesUserError';
    fields: {
      code: {
        name: 'code';
        type: { kind: 'ENUM'; name: 'InventoryAdjustQuantitiesUserErrorCode'; ofType: null };
      };
      field: {
        name: 'field';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
      };
      message: {
        name: 'message';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
    };
  };
  InventoryAdjustQuantitiesUserErrorCode: {
    name: 'InventoryAdjustQuantitiesUserErrorCode';
    enumValues:
      | 'ADJUST_QUANTITIES_FAILED'
      | 'CHANGE_FROM_QUANTITY_STALE'
      | 'IDEMPOTENCY_CONCURRENT_REQUEST'
      | 'IDEMPOTENCY_KEY_PARAMETER_MISMATCH'
      | 'IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED'
      | 'INTERNAL_LEDGER_DOCUMENT'
      | 'INVALID_AVAILABLE_DOCUMENT'
      | 'INVALID_INVENTORY_ITEM'
      | 'INVALID_LEDGER_DOCUMENT'
      | 'INVALID_LOCATION'
      | 'INVALID_QUANTITY_DOCUMENT'
      | 'INVALID_QUANTITY_NAME'
      | 'INVALID_QUANTITY_TOO_HIGH'
      | 'INVALID_QUANTITY_TOO_LOW'
      | 'INVALID_REASON'
      | 'INVALID_REFERENCE_DOCUMENT'
      | 'MAX_ONE_LEDGER_DOCUMENT'
      | 'NON_MUTABLE_INVENTORY_ITEM'
      | 'SERVICE_UNAVAILABLE';
  };
  InventoryAdjustmentGroup: {
    kind: 'OBJECT';
    name: 'InventoryAdjustmentGroup';
    fields: {
      changes: {
        name: 'changes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'InventoryChange'; ofType: null };
            };
          };
        };
      };
      createdAt: {
        name: 'createdAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      reason: {
        name: 'reason';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      referenceDocumentUri: {
        name: 'referenceDocumentUri';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
    };
  };
  InventoryChange: {
    kind: 'OBJECT';
    name: 'InventoryChange';
    fields: {
      delta: {
        name: 'delta';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      item: { name: 'item'; type: { kind: 'OBJECT'; name: 'InventoryItem'; ofType: null } };
      ledgerDocumentUri: {
        name: 'ledgerDocumentUri';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      location: { name: 'location'; type: { kind: 'OBJECT'; name: 'Location'; ofType: null } };
      name: {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      quantityAfterChange: {
        name: 'quantityAfterChange';
        type: { kind: 'SCALAR'; name: 'Int'; ofType: null };
      };
    };
  };
  InventoryChangeInput: {
    kind: 'INPUT_OBJECT';
    name: 'InventoryChangeInput';
    isOneOf: false;
    inputFields: [
      { name: 'changeFromQuantity'; type: { kind: 'SCALAR'; name: 'Int'; ofType: null }; defaultValue: null },
      {
        name: 'delta';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'inventoryItemId';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'ledgerDocumentUri';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'locationId';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  InventoryItem: {
    kind: 'OBJECT';
    name: 'InventoryItem';
    fields: {
      countryCodeOfOrigin: {
        name: 'countryCodeOfOrigin';
        type: { kind: 'ENUM'; name: 'CountryCode'; ofType: null };
      };
      createdAt: {
        name: 'createdAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      duplicateSkuCount: {
        name: 'duplicateSkuCount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      harmonizedSystemCode: {
        name: 'harmonizedSystemCode';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      inventoryHistoryUrl: {
        name: 'inventoryHistoryUrl';
        type: { kind: 'SCALAR'; name: 'URL'; ofType: null };
      };
      inventoryLevel: {
        name: 'inventoryLevel';
        type: { kind: 'OBJECT'; name: 'InventoryLevel'; ofType: null };
      };
      inventoryLevels: {
        name: 'inventoryLevels';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'InventoryLevelConnection'; ofType: null };
        };
      };
      legacyResourceId: {
        name: 'legacyResourceId';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null };
        };
      };
      locationsCount: { name: 'locationsCount'; type: { kind: 'OBJECT'; name: 'Count'; ofType: null } };
      provinceCodeOfOrigin: {
        name: 'provinceCodeOfOrigin';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      requiresShipping: {
        name: 'requiresShipping';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      sku: { name: 'sku'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      tracked: {
        name: 'tracked';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      unitCost: { name: 'unitCost'; type: { kind: 'OBJECT'; name: 'MoneyV2'; ofType: null } };
      updatedAt: {
        name: 'updatedAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      variant: {
        name: 'variant';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'ProductVariant'; ofType: null };
        };
      };
      variants: {
        name: 'variants';
        type: { kind: 'OBJECT'; name: 'ProductVariantConnection'; ofType: null };
      };
    };
  };
  InventoryItemConnection: {
    kind: 'OBJECT';
    name: 'InventoryItemConnection';
    fields: {
      edges: {
        name: 'edges';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'InventoryItemEdge'; ofType: null };
            };
          };
        };
      };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'InventoryItem'; ofType: null };
            };
          };
        };
      };
      pageInfo: {
        name: 'pageInfo';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null } };
      };
    };
  };
  InventoryItemEdge: {
    kind: 'OBJECT';
    name: 'InventoryItemEdge';
    fields: {
      cursor: {
        name: 'cursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      node: {
        name: 'node';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'InventoryItem'; ofType: null };
        };
      };
    };
  };
  InventoryLevel: {
    kind: 'OBJECT';
    name: 'InventoryLevel';
    fields: {
      canDeactivate: {
        name: 'canDeactivate';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      createdAt: {
        name: 'createdAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      deactivationAlert: {
        name: 'deactivationAlert';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      isActive: {
        name: 'isActive';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      item: {
        name: 'item';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'InventoryItem'; ofType: null };
        };
      };
      location: {
        name: 'location';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'Location'; ofType: null } };
      };
      quantities: {
        name: 'quantities';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'InventoryQuantity'; ofType: null };
            };
          };
        };
      };
      updatedAt: {
        name: 'updatedAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
    };
  };
  InventoryLevelConnection: {
    kind: 'OBJECT';
    name: 'InventoryLevelConnection';
    fields: {
      edges: {
        name: 'edges';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'InventoryLevelEdge'; ofType: null };
            };
          };
        };
      };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'InventoryLevel'; ofType: null };
            };
          };
        };
      };
      pageInfo: {
        name: 'pageInfo';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null } };
      };
    };
  };
  InventoryLevelEdge: {
    kind: 'OBJECT';
    name: 'InventoryLevelEdge';
    fields: {
      cursor: {
        name: 'cursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      node: {
        name: 'node';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'InventoryLevel'; ofType: null };
        };
      };
    };
  };
  InventoryMoveQuantitiesInput: {
    kind: 'INPUT_OBJECT';
    name: 'InventoryMoveQuantitiesInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'changes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'INPUT_OBJECT'; name: 'InventoryMoveQuantityChange'; ofType: null };
            };
          };
        };
        defaultValue: null;
      },
      {
        name: 'reason';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'referenceDocumentUri';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  InventoryMoveQuantitiesPayload: {
    kind: 'OBJECT';
    name: 'InventoryMoveQuantitiesPayload';
    fields: {
      inventoryAdjustmentGroup: {
        name: 'inventoryAdjustmentGroup';
        type: { kind: 'OBJECT'; name: 'InventoryAdjustmentGroup'; ofType: null };
      };
      userErrors: {
        name: 'userErrors';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'InventoryMoveQuantitiesUserError'; ofType: null };
            };
          };
        };
      };
    };
  };
  InventoryMoveQuantitiesUserError: {
    kind: 'OBJECT';
    name: 'InventoryMoveQuantitiesUserError';
    fields: {
      code: {
        name: 'code';
        type: { kind: 'ENUM'; name: 'InventoryMoveQuantitiesUserErrorCode'; ofType: null };
      };
      field: {
        name: 'field';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
      };
      message: {
        name: 'message';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
    };
  };
  InventoryMoveQuantitiesUserErrorCode: {
    name: 'InventoryMoveQuantitiesUserErrorCode';
    enumValues:
      | 'CHANGE_FROM_QUANTITY_STALE'
      | 'DIFFERENT_LOCATIONS'
      | 'IDEMPOTENCY_CONCURRENT_REQUEST'
      | 'IDEMPOTENCY_KEY_PARAMETER_MISMATCH'
      | 'IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED'
      | 'INTERNAL_LEDGER_DOCUMENT'
      | 'INVALID_AVAILABLE_DOCUMENT'
      | 'INVALID_INVENTORY_ITEM'
      | 'INVALID_LEDGER_DOCUMENT'
      | 'INVALID_LOCATION'
      | 'INVALID_QUANTITY_DOCUMENT'
      | 'INVALID_QUANTITY_NAME'
      | 'INVALID_QUANTITY_NEGATIVE'
      | 'INVALID_QUANTITY_TOO_HIGH'
      | 'INVALID_REASON'
      | 'INVALID_REFERENCE_DOCUMENT'
      | 'MAXIMUM_LEDGER_DOCUMENT_URIS'
      | 'MOVE_QUANTITIES_FAILED'
      | 'NON_MUTABLE_INVENTORY_ITEM'
      | 'SAME_QUANTITY_NAME'
      | 'SERVICE_UNAVAILABLE';
  };
  InventoryMoveQuantityChange: {
    kind: 'INPUT_OBJECT';
    name: 'InventoryMoveQuantityChange';
    isOneOf: false;
    inputFields: [
      {
        name: 'from';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'INPUT_OBJECT'; name: 'InventoryMoveQuantityTerminalInput'; ofType: null };
        };
        defaultValue: null;
      },
      {
        name: 'inventoryItemId';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'quantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'to';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'INPUT_OBJECT'; name: 'InventoryMoveQuantityTerminalInput'; ofType: null };
        };
        defaultValue: null;
      },
    ];
  };
  InventoryMoveQuantityTerminalInput: {
    kind: 'INPUT_OBJECT';
    name: 'InventoryMoveQuantityTerminalInput';
    isOneOf: false;
    inputFields: [
      { name: 'changeFromQuantity'; type: { kind: 'SCALAR'; name: 'Int'; ofType: null }; defaultValue: null },
      {
        name: 'ledgerDocumentUri';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'locationId';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  InventoryQuantity: {
    kind: 'OBJECT';
    name: 'InventoryQuantity';
    fields: {
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      name: {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      quantity: {
        name: 'quantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      updatedAt: { name: 'updatedAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
    };
  };
  InventoryQuantityInput: {
    kind: 'INPUT_OBJECT';
    name: 'InventoryQuantityInput';
    isOneOf: false;
    inputFields: [
      { name: 'changeFromQuantity'; type: { kind: 'SCALAR'; name: 'Int'; ofType: null }; defaultValue: null },
      {
        name: 'inventoryItemId';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'locationId';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'quantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  InventorySetQuantitiesInput: {
    kind: 'INPUT_OBJECT';
    name: 'InventorySetQuantitiesInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'quantities';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'INPUT_OBJECT'; name: 'InventoryQuantityInput'; ofType: null };
            };
          };
        };
        defaultValue: null;
      },
      {
        name: 'reason';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'referenceDocumentUri';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
        defaultValue: null;
      },
    ];
  };
  InventorySetQuantitiesPayload: {
    kind: 'OBJECT';
    name: 'InventorySetQuantitiesPayload';
    fields: {
      inventoryAdjustmentGroup: {
        name: 'inventoryAdjustmentGroup';
        type: { kind: 'OBJECT'; name: 'InventoryAdjustmentGroup'; ofType: null };
      };
      userErrors: {
        name: 'userErrors';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'InventorySetQuantitiesUserError'; ofType: null };
            };
          };
        };
      };
    };
  };
  InventorySetQuantitiesUserError: {
    kind: 'OBJECT';
    name: 'InventorySetQuantitiesUserError';
    fields: {
      code: {
        name: 'code';
        type: { kind: 'ENUM'; name: 'InventorySetQuantitiesUserErrorCode'; ofType: null };
      };
      field: {
        name: 'field';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
      };
      message: {
        name: 'message';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
    };
  };
  InventorySetQuantitiesUserErrorCode: {
    name: 'InventorySetQuantitiesUserErrorCode';
    enumValues:
      | 'CHANGE_FROM_QUANTITY_STALE'
      | 'COMPARE_QUANTITY_REQUIRED'
      | 'COMPARE_QUANTITY_STALE'
      | 'IDEMPOTENCY_CONCURRENT_REQUEST'
      | 'IDEMPOTENCY_KEY_PARAMETER_MISMATCH'
      | 'IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED'
      | 'INVALID_INVENTORY_ITEM'
      | 'INVALID_LOCATION'
      | 'INVALID_NAME'
      | 'INVALID_QUANTITY_NEGATIVE'
      | 'INVALID_QUANTITY_TOO_HIGH'
      | 'INVALID_QUANTITY_TOO_LOW'
      | 'INVALID_REASON'
      | 'INVALID_REFERENCE_DOCUMENT'
      | 'NON_MUTABLE_INVENTORY_ITEM'
      | 'NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR';
  };
  LegacyInteroperability: {
    kind: 'INTERFACE';
    name: 'LegacyInteroperability';
    fields: {
      legacyResourceId: {
        name: 'legacyResourceId';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null };
        };
      };
    };
    possibleTypes: 'DraftOrder' | 'InventoryItem' | 'Location' | 'Order' | 'Product' | 'ProductVariant';
  };
  LineItem: {
    kind: 'OBJECT';
    name: 'LineItem';
    fields: {
      canRestock: {
        name: 'canRestock';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      currentQuantity: {
        name: 'currentQuantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      customAttributes: {
        name: 'customAttributes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'Attribute'; ofType: null };
            };
          };
        };
      };
      discountedTotal: {
        name: 'discountedTotal';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      discountedTotalSet: {
        name: 'discountedTotalSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      discountedUnitPrice: {
        name: 'discountedUnitPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      discountedUnitPriceAfterAllDiscountsSet: {
        name: 'discountedUnitPriceAfterAllDiscountsSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      discountedUnitPriceSet: {
        name: 'discountedUnitPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      fulfillableQuantity: {
        name: 'fulfillableQuantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      fulfillmentStatus: {
        name: 'fulfillmentStatus';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      isGiftCard: {
        name: 'isGiftCard';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      merchantEditable: {
        name: 'merchantEditable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      name: {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      nonFulfillableQuantity: {
        name: 'nonFulfillableQuantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      originalTotal: {
        name: 'originalTotal';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      originalTotalSet: {
        name: 'originalTotalSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      originalUnitPrice: {
        name: 'originalUnitPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      originalUnitPriceSet: {
        name: 'originalUnitPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      priceAfterAllDiscountsBeforeTaxesSet: {
        name: 'priceAfterAllDiscountsBeforeTaxesSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      product: { name: 'product'; type: { kind: 'OBJECT'; name: 'Product'; ofType: null } };
      quantity: {
        name: 'quantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      refundableQuantity: {
        name: 'refundableQuantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      requiresShipping: {
        name: 'requiresShipping';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      restockable: {
        name: 'restockable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      sku: { name: 'sku'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      taxable: {
        name: 'taxable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      title: {
        name: 'title';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      totalDiscount: {
        name: 'totalDiscount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalDiscountSet: {
        name: 'totalDiscountSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      unfulfilledDiscountedTotal: {
        name: 'unfulfilledDiscountedTotal';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      unfulfilledDiscountedTotalSet: {
        name: 'unfulfilledDiscountedTotalSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      unfulfilledOriginalTotal: {
        name: 'unfulfilledOriginalTotal';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      unfulfilledOriginalTotalSet: {
        name: 'unfulfilledOriginalTotalSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      unfulfilledQuantity: {
        name: 'unfulfilledQuantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      variant: { name: 'variant'; type: { kind: 'OBJECT'; name: 'ProductVariant'; ofType: null } };
      variantTitle: { name: 'variantTitle'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      vendor: { name: 'vendor'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
    };
  };
  LineItemConnection: {
    kind: 'OBJECT';
    name: 'LineItemConnection';
    fields: {
      edges: {
        name: 'edges';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'LineItemEdge'; ofType: null };
            };
          };
        };
      };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'LineItem'; ofType: null };
            };
          };
        };
      };
      pageInfo: {
        name: 'pageInfo';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null } };
      };
    };
  };
  LineItemEdge: {
    kind: 'OBJECT';
    name: 'LineItemEdge';
    fields: {
      cursor: {
        name: 'cursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      node: {
        name: 'node';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'LineItem'; ofType: null } };
      };
    };
  };
  LinkedMetafieldCreateInput: {
    kind: 'INPUT_OBJECT';
    name: 'LinkedMetafieldCreateInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'key';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'namespace';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'values';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
        defaultValue: null;
      },
    ];
  };
  LocalizationExtensionInput: {
    kind: 'INPUT_OBJECT';
    name: 'LocalizationExtensionInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'key';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'LocalizationExtensionKey'; ofType: null };
        };
        defaultValue: null;
      },
      {
        name: 'value';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  LocalizationExtensionKey: {
    name: 'LocalizationExtensionKey';
    enumValues:
      | 'SHIPPING_CREDENTIAL_BR'
      | 'SHIPPING_CREDENTIAL_CL'
      | 'SHIPPING_CREDENTIAL_CN'
      | 'SHIPPING_CREDENTIAL_CO'
      | 'SHIPPING_CREDENTIAL_CR'
      | 'SHIPPING_CREDENTIAL_EC'
      | 'SHIPPING_CREDENTIAL_ES'
      | 'SHIPPING_CREDENTIAL_GT'
      | 'SHIPPING_CREDENTIAL_ID'
      | 'SHIPPING_CREDENTIAL_KR'
      | 'SHIPPING_CREDENTIAL_MX'
      | 'SHIPPING_CREDENTIAL_MY'
      | 'SHIPPING_CREDENTIAL_PE'
      | 'SHIPPING_CREDENTIAL_PT'
      | 'SHIPPING_CREDENTIAL_PY'
      | 'SHIPPING_CREDENTIAL_TR'
      | 'SHIPPING_CREDENTIAL_TW'
      | 'SHIPPING_CREDENTIAL_TYPE_CO'
      | 'TAX_CREDENTIAL_BR'
      | 'TAX_CREDENTIAL_CL'
      | 'TAX_CREDENTIAL_CO'
      | 'TAX_CREDENTIAL_CR'
      | 'TAX_CREDENTIAL_EC'
      | 'TAX_CREDENTIAL_ES'
      | 'TAX_CREDENTIAL_GT'
      | 'TAX_CREDENTIAL_ID'
      | 'TAX_CREDENTIAL_IT'
      | 'TAX_CREDENTIAL_MX'
      | 'TAX_CREDENTIAL_MY'
      | 'TAX_CREDENTIAL_PE'
      | 'TAX_CREDENTIAL_PT'
      | 'TAX_CREDENTIAL_PY'
      | 'TAX_CREDENTIAL_TR'
      | 'TAX_CREDENTIAL_TYPE_CO'
      | 'TAX_CREDENTIAL_TYPE_MX'
      | 'TAX_CREDENTIAL_USE_MX'
      | 'TAX_EMAIL_IT';
  };
  LocalizedFieldInput: {
    kind: 'INPUT_OBJECT';
    name: 'LocalizedFieldInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'key';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'LocalizedFieldKey'; ofType: null };
        };
        defaultValue: null;
      },
      {
        name: 'value';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  LocalizedFieldKey: {
    name: 'LocalizedFieldKey';
    enumValues:
      | 'SHIPPING_CREDENTIAL_BR'
      | 'SHIPPING_CREDENTIAL_CL'
      | 'SHIPPING_CREDENTIAL_CN'
      | 'SHIPPING_CREDENTIAL_CO'
      | 'SHIPPING_CREDENTIAL_CR'
      | 'SHIPPING_CREDENTIAL_EC'
      | 'SHIPPING_CREDENTIAL_ES'
      | 'SHIPPING_CREDENTIAL_GT'
      | 'SHIPPING_CREDENTIAL_ID'
      | 'SHIPPING_CREDENTIAL_KR'
      | 'SHIPPING_CREDENTIAL_MX'
      | 'SHIPPING_CREDENTIAL_MY'
      | 'SHIPPING_CREDENTIAL_PE'
      | 'SHIPPING_CREDENTIAL_PT'
      | 'SHIPPING_CREDENTIAL_PY'
      | 'SHIPPING_CREDENTIAL_TR'
      | 'SHIPPING_CREDENTIAL_TW'
      | 'SHIPPING_CREDENTIAL_TYPE_CO'
      | 'TAX_CREDENTIAL_BR'
      | 'TAX_CREDENTIAL_CL'
      | 'TAX_CREDENTIAL_CO'
      | 'TAX_CREDENTIAL_CR'
      | 'TAX_CREDENTIAL_EC'
      | 'TAX_CREDENTIAL_ES'
      | 'TAX_CREDENTIAL_GT'
      | 'TAX_CREDENTIAL_ID'
      | 'TAX_CREDENTIAL_IT'
      | 'TAX_CREDENTIAL_MX'
      | 'TAX_CREDENTIAL_MY'
      | 'TAX_CREDENTIAL_PE'
      | 'TAX_CREDENTIAL_PT'
      | 'TAX_CREDENTIAL_PY'
      | 'TAX_CREDENTIAL_TR'
      | 'TAX_CREDENTIAL_TYPE_CO'
      | 'TAX_CREDENTIAL_TYPE_MX'
      | 'TAX_CREDENTIAL_USE_MX'
      | 'TAX_EMAIL_IT';
  };
  Location: {
    kind: 'OBJECT';
    name: 'Location';
    fields: {
      activatable: {
        name: 'activatable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      address: {
        name: 'address';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'LocationAddress'; ofType: null };
        };
      };
      addressVerified: {
        name: 'addressVerified';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      createdAt: {
        name: 'createdAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      deactivatable: {
        name: 'deactivatable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      deactivatedAt: { name: 'deactivatedAt'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      deletable: {
        name: 'deletable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      fulfillsOnlineOrders: {
        name: 'fulfillsOnlineOrders';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      hasActiveInventory: {
        name: 'hasActiveInventory';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      hasUnfulfilledOrders: {
        name: 'hasUnfulfilledOrders';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      inventoryLevel: {
        name: 'inventoryLevel';
        type: { kind: 'OBJECT'; name: 'InventoryLevel'; ofType: null };
      };
      inventoryLevels: {
        name: 'inventoryLevels';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'InventoryLevelConnection'; ofType: null };
        };
      };
      isActive: {
        name: 'isActive';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      isFulfillmentService: {
        name: 'isFulfillmentService';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      isPrimary: {
        name: 'isPrimary';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      legacyResourceId: {
        name: 'legacyResourceId';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null };
        };
      };
      name: {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      shipsInventory: {
        name: 'shipsInventory';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      updatedAt: {
        name: 'updatedAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
    };
  };
  LocationAddress: {
    kind: 'OBJECT';
    name: 'LocationAddress';
    fields: {
      address1: { name: 'address1'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      address2: { name: 'address2'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      city: { name: 'city'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      country: { name: 'country'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      countryCode: { name: 'countryCode'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      formatted: {
        name: 'formatted';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'SCALAR'; name: 'String'; ofType: null };
            };
          };
        };
      };
      latitude: { name: 'latitude'; type: { kind: 'SCALAR'; name: 'Float'; ofType: null } };
      longitude: { name: 'longitude'; type: { kind: 'SCALAR'; name: 'Float'; ofType: null } };
      phone: { name: 'phone'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      province: { name: 'province'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      provinceCode: { name: 'provinceCode'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      zip: { name: 'zip'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
    };
  };
  LocationConnection: {
    kind: 'OBJECT';
    name: 'LocationConnection';
    fields: {
      edges: {
        name: 'edges';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'LocationEdge'; ofType: null };
            };
          };
        };
      };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'Location'; ofType: null };
            };
          };
        };
      };
      pageInfo: {
        name: 'pageInfo';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null } };
      };
    };
  };
  LocationEdge: {
    kind: 'OBJECT';
    name: 'LocationEdge';
    fields: {
      cursor: {
        name: 'cursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      node: {
        name: 'node';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'Location'; ofType: null } };
      };
    };
  };
  LocationSortKeys: { name: 'LocationSortKeys'; enumValues: 'ID' | 'NAME' | 'RELEVANCE' };
  MailingAddress: {
    kind: 'OBJECT';
    name: 'MailingAddress';
    fields: {
      address1: { name: 'address1'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      address2: { name: 'address2'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      city: { name: 'city'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      company: { name: 'company'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      coordinatesValidated: {
        name: 'coordinatesValidated';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      country: { name: 'country'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      countryCode: { name: 'countryCode'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      countryCodeV2: { name: 'countryCodeV2'; type: { kind: 'ENUM'; name: 'CountryCode'; ofType: null } };
      firstName: { name: 'firstName'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      formatted: {
        name: 'formatted';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'SCALAR'; name: 'String'; ofType: null };
            };
          };
        };
      };
      formattedArea: { name: 'formattedArea'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      lastName: { name: 'lastName'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      latitude: { name: 'latitude'; type: { kind: 'SCALAR'; name: 'Float'; ofType: null } };
      longitude: { name: 'longitude'; type: { kind: 'SCALAR'; name: 'Float'; ofType: null } };
      name: { name: 'name'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      phone: { name: 'phone'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      province: { name: 'province'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      provinceCode: { name: 'provinceCode'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      timeZone: { name: 'timeZone'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      validationResultSummary: {
        name: 'validationResultSummary';
        type: { kind: 'ENUM'; name: 'MailingAddressValidationResult'; ofType: null };
      };
      zip: { name: 'zip'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
    };
  };
  MailingAddressInput: {
    kind: 'INPUT_OBJECT';
    name: 'MailingAddressInput';
    isOneOf: false;
    inputFields: [
      { name: 'address1'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'address2'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'city'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'company'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'country'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'countryCode'; type: { kind: 'ENUM'; name: 'CountryCode'; ofType: null }; defaultValue: null },
      { name: 'firstName'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'id'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      { name: 'lastName'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'phone'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'province'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'provinceCode'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'zip'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
    ];
  };
  MailingAddressValidationResult: {
    name: 'MailingAddressValidationResult';
    enumValues: 'ERROR' | 'NO_ISSUES' | 'WARNING';
  };
  MediaContentType: {
    name: 'MediaContentType';
    enumValues: 'EXTERNAL_VIDEO' | 'IMAGE' | 'MODEL_3D' | 'VIDEO';
  };
  MetafieldInput: {
    kind: 'INPUT_OBJECT';
    name: 'MetafieldInput';
    isOneOf: false;
    inputFields: [
      { name: 'id'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      { name: 'key'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'namespace'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'type'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'value'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
    ];
  };
  Money: unknown;
  MoneyBag: {
    kind: 'OBJECT';
    name: 'MoneyBag';
    fields: {
      presentmentMoney: {
        name: 'presentmentMoney';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyV2'; ofType: null } };
      };
      shopMoney: {
        name: 'shopMoney';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyV2'; ofType: null } };
      };
    };
  };
  MoneyInput: {
    kind: 'INPUT_OBJECT';
    name: 'MoneyInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'amount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Decimal'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'currencyCode';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'CurrencyCode'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  MoneyV2: {
    kind: 'OBJECT';
    name: 'MoneyV2';
    fields: {
      amount: {
        name: 'amount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Decimal'; ofType: null } };
      };
      currencyCode: {
        name: 'currencyCode';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'CurrencyCode'; ofType: null } };
      };
    };
  };
  Mutation: {
    kind: 'OBJECT';
    name: 'Mutation';
    fields: {
      draftOrderComplete: {
        name: 'draftOrderComplete';
        type: { kind: 'OBJECT'; name: 'DraftOrderCompletePayload'; ofType: null };
      };
      draftOrderCreate: {
        name: 'draftOrderCreate';
        type: { kind: 'OBJECT'; name: 'DraftOrderCreatePayload'; ofType: null };
      };
      draftOrderDelete: {
        name: 'draftOrderDelete';
        type: { kind: 'OBJECT'; name: 'DraftOrderDeletePayload'; ofType: null };
      };
      draftOrderUpdate: {
        name: 'draftOrderUpdate';
        type: { kind: 'OBJECT'; name: 'DraftOrderUpdatePayload'; ofType: null };
      };
      inventoryAdjustQuantities: {
        name: 'inventoryAdjustQuantities';
        type: { kind: 'OBJECT'; name: 'InventoryAdjustQuantitiesPayload'; ofType: null };
      };
      inventoryMoveQuantities: {
        name: 'inventoryMoveQuantities';
        type: { kind: 'OBJECT'; name: 'InventoryMoveQuantitiesPayload'; ofType: null };
      };
      inventorySetQuantities: {
        name: 'inventorySetQuantities';
        type: { kind: 'OBJECT'; name: 'InventorySetQuantitiesPayload'; ofType: null };
      };
      productUpdate: {
        name: 'productUpdate';
        type: { kind: 'OBJECT'; name: 'ProductUpdatePayload'; ofType: null };
      };
    };
  };
  Node: {
    kind: 'INTERFACE';
    name: 'Node';
    fields: {
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
    };
    possibleTypes:
      | 'AppInstallation'
      | 'DraftOrder'
      | 'DraftOrderLineItem'
      | 'InventoryAdjustmentGroup'
      | 'InventoryItem'
      | 'InventoryLevel'
      | 'InventoryQuantity'
      | 'LineItem'
      | 'Location'
      | 'MailingAddress'
      | 'Order'
      | 'Product'
      | 'ProductVariant'
      | 'Shop';
  };
  NotificationUsage: { name: 'NotificationUsage'; enumValues: 'SMS' | 'WEB' };
  OptionCreateInput: {
    kind: 'INPUT_OBJECT';
    name: 'OptionCreateInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'linkedMetafield';
        type: { kind: 'INPUT_OBJECT'; name: 'LinkedMetafieldCreateInput'; ofType: null };
        defaultValue: null;
      },
      { name: 'name'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'position'; type: { kind: 'SCALAR'; name: 'Int'; ofType: null }; defaultValue: null },
      {
        name: 'values';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'OptionValueCreateInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
    ];
  };
  OptionValueCreateInput: {
    kind: 'INPUT_OBJECT';
    name: 'OptionValueCreateInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'linkedMetafieldValue';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
        defaultValue: null;
      },
      { name: 'name'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
    ];
  };
  Order: {
    kind: 'OBJECT';
    name: 'Order';
    fields: {
      billingAddress: {
        name: 'billingAddress';
        type: { kind: 'OBJECT'; name: 'MailingAddress'; ofType: null };
      };
      billingAddressMatchesShippingAddress: {
        name: 'billingAddressMatchesShippingAddress';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      canMarkAsPaid: {
        name: 'canMarkAsPaid';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      canNotifyCustomer: {
        name: 'canNotifyCustomer';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      cancelReason: { name: 'cancelReason'; type: { kind: 'ENUM'; name: 'OrderCancelReason'; ofType: null } };
      cancelledAt: { name: 'cancelledAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      capturable: {
        name: 'capturable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      cartDiscountAmount: {
        name: 'cartDiscountAmount';
        type: { kind: 'SCALAR'; name: 'Money'; ofType: null };
      };
      cartDiscountAmountSet: {
        name: 'cartDiscountAmountSet';
        type: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null };
      };
      cartToken: { name: 'cartToken'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      checkoutToken: { name: 'checkoutToken'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      clientIp: { name: 'clientIp'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      closed: {
        name: 'closed';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      closedAt: { name: 'closedAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      confirmationNumber: {
        name: 'confirmationNumber';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      confirmed: {
        name: 'confirmed';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      createdAt: {
        name: 'createdAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      currencyCode: {
        name: 'currencyCode';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'CurrencyCode'; ofType: null } };
      };
      currentCartDiscountAmountSet: {
        name: 'currentCartDiscountAmountSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      currentShippingPriceSet: {
        name: 'currentShippingPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      currentSubtotalLineItemsQuantity: {
        name: 'currentSubtotalLineItemsQuantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      currentSubtotalPriceSet: {
        name: 'currentSubtotalPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      currentTotalAdditionalFeesSet: {
        name: 'currentTotalAdditionalFeesSet';
        type: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null };
      };
      currentTotalDiscountsSet: {
        name: 'currentTotalDiscountsSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      currentTotalDutiesSet: {
        name: 'currentTotalDutiesSet';
        type: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null };
      };
      currentTotalPriceSet: {
        name: 'currentTotalPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      currentTotalTaxSet: {
        name: 'currentTotalTaxSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      currentTotalWeight: {
        name: 'currentTotalWeight';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null };
        };
      };
      customAttributes: {
        name: 'customAttributes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'Attribute'; ofType: null };
            };
          };
        };
      };
      customerAcceptsMarketing: {
        name: 'customerAcceptsMarketing';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      customerLocale: { name: 'customerLocale'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      discountCode: { name: 'discountCode'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      discountCodes: {
        name: 'discountCodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'SCALAR'; name: 'String'; ofType: null };
            };
          };
        };
      };
      displayAddress: {
        name: 'displayAddress';
        type: { kind: 'OBJECT'; name: 'MailingAddress'; ofType: null };
      };
      displayFinancialStatus: {
        name: 'displayFinancialStatus';
        type: { kind: 'ENUM'; name: 'OrderDisplayFinancialStatus'; ofType: null };
      };
      displayFulfillmentStatus: {
        name: 'displayFulfillmentStatus';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'OrderDisplayFulfillmentStatus'; ofType: null };
        };
      };
      dutiesIncluded: {
        name: 'dutiesIncluded';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      edited: {
        name: 'edited';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      email: { name: 'email'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      estimatedTaxes: {
        name: 'estimatedTaxes';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      fulfillable: {
        name: 'fulfillable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      fulfillmentsCount: { name: 'fulfillmentsCount'; type: { kind: 'OBJECT'; name: 'Count'; ofType: null } };
      fullyPaid: {
        name: 'fullyPaid';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      hasTimelineComment: {
        name: 'hasTimelineComment';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      landingPageDisplayText: {
        name: 'landingPageDisplayText';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      landingPageUrl: { name: 'landingPageUrl'; type: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
      legacyResourceId: {
        name: 'legacyResourceId';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null };
        };
      };
      lineItems: {
        name: 'lineItems';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'LineItemConnection'; ofType: null };
        };
      };
      merchantEditable: {
        name: 'merchantEditable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      merchantEditableErrors: {
        name: 'merchantEditableErrors';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'SCALAR'; name: 'String'; ofType: null };
            };
          };
        };
      };
      name: {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      netPayment: {
        name: 'netPayment';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      netPaymentSet: {
        name: 'netPaymentSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      nonFulfillableLineItems: {
        name: 'nonFulfillableLineItems';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'LineItemConnection'; ofType: null };
        };
      };
      note: { name: 'note'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      number: {
        name: 'number';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      originalTotalAdditionalFeesSet: {
        name: 'originalTotalAdditionalFeesSet';
        type: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null };
      };
      originalTotalDutiesSet: {
        name: 'originalTotalDutiesSet';
        type: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null };
      };
      originalTotalPriceSet: {
        name: 'originalTotalPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      paymentGatewayNames: {
        name: 'paymentGatewayNames';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'SCALAR'; name: 'String'; ofType: null };
            };
          };
        };
      };
      phone: { name: 'phone'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      physicalLocation: {
        name: 'physicalLocation';
        type: { kind: 'OBJECT'; name: 'Location'; ofType: null };
      };
      poNumber: { name: 'poNumber'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      presentmentCurrencyCode: {
        name: 'presentmentCurrencyCode';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'CurrencyCode'; ofType: null } };
      };
      processedAt: {
        name: 'processedAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      productNetwork: {
        name: 'productNetwork';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      referralCode: { name: 'referralCode'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      referrerDisplayText: {
        name: 'referrerDisplayText';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      referrerUrl: { name: 'referrerUrl'; type: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
      refundDiscrepancySet: {
        name: 'refundDiscrepancySet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      refundable: {
        name: 'refundable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      registeredSourceUrl: {
        name: 'registeredSourceUrl';
        type: { kind: 'SCALAR'; name: 'URL'; ofType: null };
      };
      requiresShipping: {
        name: 'requiresShipping';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      restockable: {
        name: 'restockable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      retailLocation: { name: 'retailLocation'; type: { kind: 'OBJECT'; name: 'Location'; ofType: null } };
      returnStatus: {
        name: 'returnStatus';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'OrderReturnStatus'; ofType: null };
        };
      };
      riskLevel: {
        name: 'riskLevel';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'OrderRiskLevel'; ofType: null };
        };
      };
      shippingAddress: {
        name: 'shippingAddress';
        type: { kind: 'OBJECT'; name: 'MailingAddress'; ofType: null };
      };
      sourceIdentifier: { name: 'sourceIdentifier'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      sourceName: { name: 'sourceName'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      statusPageUrl: {
        name: 'statusPageUrl';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
      };
      subtotalLineItemsQuantity: {
        name: 'subtotalLineItemsQuantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      subtotalPrice: { name: 'subtotalPrice'; type: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      subtotalPriceSet: {
        name: 'subtotalPriceSet';
        type: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null };
      };
      tags: {
        name: 'tags';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'SCALAR'; name: 'String'; ofType: null };
            };
          };
        };
      };
      taxExempt: {
        name: 'taxExempt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      taxesIncluded: {
        name: 'taxesIncluded';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      test: {
        name: 'test';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      totalCapturable: {
        name: 'totalCapturable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalCapturableSet: {
        name: 'totalCapturableSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalDiscounts: { name: 'totalDiscounts'; type: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      totalDiscountsSet: {
        name: 'totalDiscountsSet';
        type: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null };
      };
      totalOutstandingSet: {
        name: 'totalOutstandingSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalPrice: {
        name: 'totalPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalPriceSet: {
        name: 'totalPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalReceived: {
        name: 'totalReceived';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalReceivedSet: {
        name: 'totalReceivedSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalRefunded: {
        name: 'totalRefunded';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalRefundedSet: {
        name: 'totalRefundedSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalRefundedShippingSet: {
        name: 'totalRefundedShippingSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalShippingPrice: {
        name: 'totalShippingPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      totalShippingPriceSet: {
        name: 'totalShippingPriceSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalTax: { name: 'totalTax'; type: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      totalTaxSet: { name: 'totalTaxSet'; type: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      totalTipReceived: {
        name: 'totalTipReceived';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyV2'; ofType: null } };
      };
      totalTipReceivedSet: {
        name: 'totalTipReceivedSet';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'MoneyBag'; ofType: null } };
      };
      totalWeight: { name: 'totalWeight'; type: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null } };
      transactionsCount: { name: 'transactionsCount'; type: { kind: 'OBJECT'; name: 'Count'; ofType: null } };
      unpaid: {
        name: 'unpaid';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      updatedAt: {
        name: 'updatedAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
    };
  };
  OrderCancelReason: {
    name: 'OrderCancelReason';
    enumValues: 'CUSTOMER' | 'DECLINED' | 'FRAUD' | 'INVENTORY' | 'OTHER' | 'STAFF';
  };
  OrderConnection: {
    kind: 'OBJECT';
    name: 'OrderConnection';
    fields: {
      edges: {
        name: 'edges';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'OrderEdge'; ofType: null };
            };
          };
        };
      };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'Order'; ofType: null };
            };
          };
        };
      };
      pageInfo: {
        name: 'pageInfo';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null } };
      };
    };
  };
  OrderDisplayFinancialStatus: {
    name: 'OrderDisplayFinancialStatus';
    enumValues:
      | 'AUTHORIZED'
      | 'EXPIRED'
      | 'PAID'
      | 'PARTIALLY_PAID'
      | 'PARTIALLY_REFUNDED'
      | 'PENDING'
      | 'REFUNDED'
      | 'VOIDED';
  };
  OrderDisplayFulfillmentStatus: {
    name: 'OrderDisplayFulfillmentStatus';
    enumValues:
      | 'FULFILLED'
      | 'FULFILLMENT_NOT_REQUIRED'
      | 'IN_PROGRESS'
      | 'ON_HOLD'
      | 'OPEN'
      | 'PARTIALLY_FULFILLED'
      | 'PENDING_FULFILLMENT'
      | 'REQUEST_DECLINED'
      | 'RESTOCKED'
      | 'SCHEDULED'
      | 'UNFULFILLED';
  };
  OrderEdge: {
    kind: 'OBJECT';
    name: 'OrderEdge';
    fields: {
      cursor: {
        name: 'cursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      node: {
        name: 'node';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'Order'; ofType: null } };
      };
    };
  };
  OrderReturnStatus: {
    name: 'OrderReturnStatus';
    enumValues:
      | 'INSPECTION_COMPLETE'
      | 'IN_PROGRESS'
      | 'NO_RETURN'
      | 'RETURNED'
      | 'RETURN_FAILED'
      | 'RETURN_REQUESTED';
  };
  OrderRiskLevel: { name: 'OrderRiskLevel'; enumValues: 'HIGH' | 'LOW' | 'MEDIUM' };
  OrderSortKeys: {
    name: 'OrderSortKeys';
    enumValues:
      | 'CREATED_AT'
      | 'CURRENT_TOTAL_PRICE'
      | 'CUSTOMER_NAME'
      | 'DESTINATION'
      | 'FINANCIAL_STATUS'
      | 'FULFILLMENT_STATUS'
      | 'ID'
      | 'ORDER_NUMBER'
      | 'PO_NUMBER'
      | 'PROCESSED_AT'
      | 'RELEVANCE'
      | 'TOTAL_ITEMS_QUANTITY'
      | 'TOTAL_PRICE'
      | 'UPDATED_AT';
  };
  PageInfo: {
    kind: 'OBJECT';
    name: 'PageInfo';
    fields: {
      endCursor: { name: 'endCursor'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      hasNextPage: {
        name: 'hasNextPage';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      hasPreviousPage: {
        name: 'hasPreviousPage';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      startCursor: { name: 'startCursor'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
    };
  };
  PaymentScheduleInput: {
    kind: 'INPUT_OBJECT';
    name: 'PaymentScheduleInput';
    isOneOf: false;
    inputFields: [
      { name: 'dueAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null }; defaultValue: null },
      { name: 'issuedAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null }; defaultValue: null },
    ];
  };
  PaymentTermsInput: {
    kind: 'INPUT_OBJECT';
    name: 'PaymentTermsInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'paymentSchedules';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'PaymentScheduleInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      {
        name: 'paymentTermsTemplateId';
        type: { kind: 'SCALAR'; name: 'ID'; ofType: null };
        defaultValue: null;
      },
    ];
  };
  Product: {
    kind: 'OBJECT';
    name: 'Product';
    fields: {
      availablePublicationsCount: {
        name: 'availablePublicationsCount';
        type: { kind: 'OBJECT'; name: 'Count'; ofType: null };
      };
      bodyHtml: { name: 'bodyHtml'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      combinedListingRole: {
        name: 'combinedListingRole';
        type: { kind: 'ENUM'; name: 'CombinedListingsRole'; ofType: null };
      };
      createdAt: {
        name: 'createdAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      customProductType: {
        name: 'customProductType';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      defaultCursor: {
        name: 'defaultCursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      description: {
        name: 'description';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      descriptionHtml: {
        name: 'descriptionHtml';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'HTML'; ofType: null } };
      };
      descriptionPlainSummary: {
        name: 'descriptionPlainSummary';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      giftCardTemplateSuffix: {
        name: 'giftCardTemplateSuffix';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
      };
      handle: {
        name: 'handle';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      hasOnlyDefaultVariant: {
        name: 'hasOnlyDefaultVariant';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      hasOutOfStockVariants: {
        name: 'hasOutOfStockVariants';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      hasVariantsThatRequiresComponents: {
        name: 'hasVariantsThatRequiresComponents';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      inCollection: {
        name: 'inCollection';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      isGiftCard: {
        name: 'isGiftCard';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      legacyResourceId: {
        name: 'legacyResourceId';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null };
        };
      };
      mediaCount: { name: 'mediaCount'; type: { kind: 'OBJECT'; name: 'Count'; ofType: null } };
      onlineStorePreviewUrl: {
        name: 'onlineStorePreviewUrl';
        type: { kind: 'SCALAR'; name: 'URL'; ofType: null };
      };
      onlineStoreUrl: { name: 'onlineStoreUrl'; type: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
      productComponentsCount: {
        name: 'productComponentsCount';
        type: { kind: 'OBJECT'; name: 'Count'; ofType: null };
      };
      productParents: {
        name: 'productParents';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'ProductConnection'; ofType: null };
        };
      };
      productType: {
        name: 'productType';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      publicationCount: {
        name: 'publicationCount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      publishedAt: { name: 'publishedAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      publishedInContext: {
        name: 'publishedInContext';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      publishedOnChannel: {
        name: 'publishedOnChannel';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      publishedOnCurrentChannel: {
        name: 'publishedOnCurrentChannel';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      publishedOnCurrentPublication: {
        name: 'publishedOnCurrentPublication';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      publishedOnPublication: {
        name: 'publishedOnPublication';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      requiresSellingPlan: {
        name: 'requiresSellingPlan';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      resourcePublicationsCount: {
        name: 'resourcePublicationsCount';
        type: { kind: 'OBJECT'; name: 'Count'; ofType: null };
      };
      sellingPlanGroupCount: {
        name: 'sellingPlanGroupCount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      sellingPlanGroupsCount: {
        name: 'sellingPlanGroupsCount';
        type: { kind: 'OBJECT'; name: 'Count'; ofType: null };
      };
      status: {
        name: 'status';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'ProductStatus'; ofType: null };
        };
      };
      storefrontId: {
        name: 'storefrontId';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'StorefrontID'; ofType: null };
        };
      };
      tags: {
        name: 'tags';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'SCALAR'; name: 'String'; ofType: null };
            };
          };
        };
      };
      templateSuffix: { name: 'templateSuffix'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      title: {
        name: 'title';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      totalInventory: {
        name: 'totalInventory';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      totalVariants: {
        name: 'totalVariants';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      tracksInventory: {
        name: 'tracksInventory';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      updatedAt: {
        name: 'updatedAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      variants: {
        name: 'variants';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'ProductVariantConnection'; ofType: null };
        };
      };
      variantsCount: { name: 'variantsCount'; type: { kind: 'OBJECT'; name: 'Count'; ofType: null } };
      variantsInCollection: {
        name: 'variantsInCollection';
        type: { kind: 'OBJECT'; name: 'ProductVariantConnection'; ofType: null };
      };
      variantsInCollectionCount: {
        name: 'variantsInCollectionCount';
        type: { kind: 'OBJECT'; name: 'Count'; ofType: null };
      };
      vendor: {
        name: 'vendor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
    };
  };
  ProductClaimOwnershipInput: {
    kind: 'INPUT_OBJECT';
    name: 'ProductClaimOwnershipInput';
    isOneOf: false;
    inputFields: [
      { name: 'bundles'; type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null }; defaultValue: null },
    ];
  };
  ProductConnection: {
    kind: 'OBJECT';
    name: 'ProductConnection';
    fields: {
      edges: {
        name: 'edges';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'ProductEdge'; ofType: null };
            };
          };
        };
      };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'Product'; ofType: null };
            };
          };
        };
      };
      pageInfo: {
        name: 'pageInfo';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null } };
      };
    };
  };
  ProductEdge: {
    kind: 'OBJECT';
    name: 'ProductEdge';
    fields: {
      cursor: {
        name: 'cursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      node: {
        name: 'node';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'Product'; ofType: null } };
      };
    };
  };
  ProductInput: {
    kind: 'INPUT_OBJECT';
    name: 'ProductInput';
    isOneOf: false;
    inputFields: [
      { name: 'category'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      {
        name: 'claimOwnership';
        type: { kind: 'INPUT_OBJECT'; name: 'ProductClaimOwnershipInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'collectionsToJoin';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        };
        defaultValue: null;
      },
      {
        name: 'collectionsToLeave';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        };
        defaultValue: null;
      },
      {
        name: 'combinedListingRole';
        type: { kind: 'ENUM'; name: 'CombinedListingsRole'; ofType: null };
        defaultValue: null;
      },
      { name: 'descriptionHtml'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'giftCard'; type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null }; defaultValue: null },
      {
        name: 'giftCardTemplateSuffix';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
        defaultValue: null;
      },
      { name: 'handle'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'id'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      {
        name: 'metafields';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'MetafieldInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      {
        name: 'productOptions';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'OptionCreateInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      {
        name: 'productPublications';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'ProductPublicationInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      { name: 'productType'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'publications';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'ProductPublicationInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      { name: 'publishDate'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null }; defaultValue: null },
      { name: 'publishOn'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null }; defaultValue: null },
      { name: 'published'; type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null }; defaultValue: null },
      { name: 'publishedAt'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null }; defaultValue: null },
      {
        name: 'redirectNewHandle';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'requiresSellingPlan';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
      { name: 'seo'; type: { kind: 'INPUT_OBJECT'; name: 'SEOInput'; ofType: null }; defaultValue: null },
      { name: 'status'; type: { kind: 'ENUM'; name: 'ProductStatus'; ofType: null }; defaultValue: null },
      {
        name: 'tags';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
        defaultValue: null;
      },
      { name: 'templateSuffix'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'title'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'vendor'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
    ];
  };
  ProductPublicationInput: {
    kind: 'INPUT_OBJECT';
    name: 'ProductPublicationInput';
    isOneOf: false;
    inputFields: [
      { name: 'channelHandle'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'channelId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      { name: 'publicationId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      { name: 'publishDate'; type: { kind: 'SCALAR'; name: 'DateTime'; ofType: null }; defaultValue: null },
    ];
  };
  ProductSortKeys: {
    name: 'ProductSortKeys';
    enumValues:
      | 'CREATED_AT'
      | 'ID'
      | 'INVENTORY_TOTAL'
      | 'PRODUCT_TYPE'
      | 'PUBLISHED_AT'
      | 'RELEVANCE'
      | 'TITLE'
      | 'UPDATED_AT'
      | 'VENDOR';
  };
  ProductStatus: { name: 'ProductStatus'; enumValues: 'ACTIVE' | 'ARCHIVED' | 'DRAFT' | 'UNLISTED' };
  ProductUpdateIdentifiers: {
    kind: 'INPUT_OBJECT';
    name: 'ProductUpdateIdentifiers';
    isOneOf: true;
    inputFields: [
      {
        name: 'customId';
        type: { kind: 'INPUT_OBJECT'; name: 'UniqueMetafieldValueInput'; ofType: null };
        defaultValue: null;
      },
      { name: 'handle'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'id'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
    ];
  };
  ProductUpdateInput: {
    kind: 'INPUT_OBJECT';
    name: 'ProductUpdateInput';
    isOneOf: false;
    inputFields: [
      { name: 'category'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      {
        name: 'collectionsToJoin';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        };
        defaultValue: null;
      },
      {
        name: 'collectionsToLeave';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        };
        defaultValue: null;
      },
      {
        name: 'deleteConflictingConstrainedMetafields';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: 'false';
      },
      { name: 'descriptionHtml'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'giftCardTemplateSuffix';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
        defaultValue: null;
      },
      { name: 'handle'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'id'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      {
        name: 'metafields';
        type: {
          kind: 'LIST';
          name: never;
          ofType: {
            kind: 'NON_NULL';
            name: never;
            ofType: { kind: 'INPUT_OBJECT'; name: 'MetafieldInput'; ofType: null };
          };
        };
        defaultValue: null;
      },
      { name: 'productType'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'redirectNewHandle';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'requiresSellingPlan';
        type: { kind: 'SCALAR'; name: 'Boolean'; ofType: null };
        defaultValue: null;
      },
      { name: 'seo'; type: { kind: 'INPUT_OBJECT'; name: 'SEOInput'; ofType: null }; defaultValue: null },
      { name: 'status'; type: { kind: 'ENUM'; name: 'ProductStatus'; ofType: null }; defaultValue: null },
      {
        name: 'tags';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
        defaultValue: null;
      },
      { name: 'templateSuffix'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'title'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'vendor'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
    ];
  };
  ProductUpdatePayload: {
    kind: 'OBJECT';
    name: 'ProductUpdatePayload';
    fields: {
      product: { name: 'product'; type: { kind: 'OBJECT'; name: 'Product'; ofType: null } };
      userErrors: {
        name: 'userErrors';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'UserError'; ofType: null };
            };
          };
        };
      };
    };
  };
  ProductVariant: {
    kind: 'OBJECT';
    name: 'ProductVariant';
    fields: {
      availableForSale: {
        name: 'availableForSale';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      availablePublicationsCount: {
        name: 'availablePublicationsCount';
        type: { kind: 'OBJECT'; name: 'Count'; ofType: null };
      };
      barcode: { name: 'barcode'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      compareAtPrice: { name: 'compareAtPrice'; type: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      createdAt: {
        name: 'createdAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      defaultCursor: {
        name: 'defaultCursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      displayName: {
        name: 'displayName';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      inventoryItem: {
        name: 'inventoryItem';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'InventoryItem'; ofType: null };
        };
      };
      inventoryPolicy: {
        name: 'inventoryPolicy';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'ProductVariantInventoryPolicy'; ofType: null };
        };
      };
      inventoryQuantity: { name: 'inventoryQuantity'; type: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      legacyResourceId: {
        name: 'legacyResourceId';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'UnsignedInt64'; ofType: null };
        };
      };
      position: {
        name: 'position';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      price: {
        name: 'price';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Money'; ofType: null } };
      };
      product: {
        name: 'product';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'Product'; ofType: null } };
      };
      productParents: {
        name: 'productParents';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'ProductConnection'; ofType: null };
        };
      };
      publicationCount: {
        name: 'publicationCount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      publishedOnChannel: {
        name: 'publishedOnChannel';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      publishedOnCurrentChannel: {
        name: 'publishedOnCurrentChannel';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      publishedOnCurrentPublication: {
        name: 'publishedOnCurrentPublication';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      publishedOnPublication: {
        name: 'publishedOnPublication';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      requiresComponents: {
        name: 'requiresComponents';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      resourcePublicationsCount: {
        name: 'resourcePublicationsCount';
        type: { kind: 'OBJECT'; name: 'Count'; ofType: null };
      };
      selectedOptions: {
        name: 'selectedOptions';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'SelectedOption'; ofType: null };
            };
          };
        };
      };
      sellableOnlineQuantity: {
        name: 'sellableOnlineQuantity';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      sellingPlanGroupCount: {
        name: 'sellingPlanGroupCount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      sellingPlanGroupsCount: {
        name: 'sellingPlanGroupsCount';
        type: { kind: 'OBJECT'; name: 'Count'; ofType: null };
      };
      showUnitPrice: {
        name: 'showUnitPrice';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      sku: { name: 'sku'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      storefrontId: {
        name: 'storefrontId';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'SCALAR'; name: 'StorefrontID'; ofType: null };
        };
      };
      taxCode: { name: 'taxCode'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      taxable: {
        name: 'taxable';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      title: {
        name: 'title';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      unitPrice: { name: 'unitPrice'; type: { kind: 'OBJECT'; name: 'MoneyV2'; ofType: null } };
      updatedAt: {
        name: 'updatedAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
    };
  };
  ProductVariantConnection: {
    kind: 'OBJECT';
    name: 'ProductVariantConnection';
    fields: {
      edges: {
        name: 'edges';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'ProductVariantEdge'; ofType: null };
            };
          };
        };
      };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'OBJECT'; name: 'ProductVariant'; ofType: null };
            };
          };
        };
      };
      pageInfo: {
        name: 'pageInfo';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'PageInfo'; ofType: null } };
      };
    };
  };
  ProductVariantEdge: {
    kind: 'OBJECT';
    name: 'ProductVariantEdge';
    fields: {
      cursor: {
        name: 'cursor';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      node: {
        name: 'node';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'ProductVariant'; ofType: null };
        };
      };
    };
  };
  ProductVariantInventoryPolicy: { name: 'ProductVariantInventoryPolicy'; enumValues: 'CONTINUE' | 'DENY' };
  ProductVariantSortKeys: {
    name: 'ProductVariantSortKeys';
    enumValues:
      | 'FULL_TITLE'
      | 'ID'
      | 'INVENTORY_LEVELS_AVAILABLE'
      | 'INVENTORY_MANAGEMENT'
      | 'INVENTORY_POLICY'
      | 'INVENTORY_QUANTITY'
      | 'NAME'
      | 'POPULAR'
      | 'POSITION'
      | 'RELEVANCE'
      | 'SKU'
      | 'TITLE';
  };
  PurchasingCompanyInput: {
    kind: 'INPUT_OBJECT';
    name: 'PurchasingCompanyInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'companyContactId';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'companyId';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'companyLocationId';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  PurchasingEntityInput: {
    kind: 'INPUT_OBJECT';
    name: 'PurchasingEntityInput';
    isOneOf: false;
    inputFields: [
      { name: 'customerId'; type: { kind: 'SCALAR'; name: 'ID'; ofType: null }; defaultValue: null },
      {
        name: 'purchasingCompany';
        type: { kind: 'INPUT_OBJECT'; name: 'PurchasingCompanyInput'; ofType: null };
        defaultValue: null;
      },
    ];
  };
  QueryRoot: {
    kind: 'OBJECT';
    name: 'QueryRoot';
    fields: {
      currentAppInstallation: {
        name: 'currentAppInstallation';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'AppInstallation'; ofType: null };
        };
      };
      draftOrder: { name: 'draftOrder'; type: { kind: 'OBJECT'; name: 'DraftOrder'; ofType: null } };
      draftOrders: {
        name: 'draftOrders';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'DraftOrderConnection'; ofType: null };
        };
      };
      inventoryItem: { name: 'inventoryItem'; type: { kind: 'OBJECT'; name: 'InventoryItem'; ofType: null } };
      inventoryItems: {
        name: 'inventoryItems';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'InventoryItemConnection'; ofType: null };
        };
      };
      inventoryLevel: {
        name: 'inventoryLevel';
        type: { kind: 'OBJECT'; name: 'InventoryLevel'; ofType: null };
      };
      location: { name: 'location'; type: { kind: 'OBJECT'; name: 'Location'; ofType: null } };
      locations: {
        name: 'locations';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'LocationConnection'; ofType: null };
        };
      };
      node: { name: 'node'; type: { kind: 'INTERFACE'; name: 'Node'; ofType: null } };
      nodes: {
        name: 'nodes';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'LIST'; name: never; ofType: { kind: 'INTERFACE'; name: 'Node'; ofType: null } };
        };
      };
      order: { name: 'order'; type: { kind: 'OBJECT'; name: 'Order'; ofType: null } };
      orders: {
        name: 'orders';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'OrderConnection'; ofType: null };
        };
      };
      product: { name: 'product'; type: { kind: 'OBJECT'; name: 'Product'; ofType: null } };
      productVariant: {
        name: 'productVariant';
        type: { kind: 'OBJECT'; name: 'ProductVariant'; ofType: null };
      };
      productVariants: {
        name: 'productVariants';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'ProductVariantConnection'; ofType: null };
        };
      };
      products: {
        name: 'products';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'ProductConnection'; ofType: null };
        };
      };
      shop: {
        name: 'shop';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'Shop'; ofType: null } };
      };
    };
  };
  SEOInput: {
    kind: 'INPUT_OBJECT';
    name: 'SEOInput';
    isOneOf: false;
    inputFields: [
      { name: 'description'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      { name: 'title'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
    ];
  };
  SelectedOption: {
    kind: 'OBJECT';
    name: 'SelectedOption';
    fields: {
      name: {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      value: {
        name: 'value';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
    };
  };
  ShippingLineInput: {
    kind: 'INPUT_OBJECT';
    name: 'ShippingLineInput';
    isOneOf: false;
    inputFields: [
      { name: 'price'; type: { kind: 'SCALAR'; name: 'Money'; ofType: null }; defaultValue: null },
      {
        name: 'priceWithCurrency';
        type: { kind: 'INPUT_OBJECT'; name: 'MoneyInput'; ofType: null };
        defaultValue: null;
      },
      {
        name: 'shippingRateHandle';
        type: { kind: 'SCALAR'; name: 'String'; ofType: null };
        defaultValue: null;
      },
      { name: 'title'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
    ];
  };
  Shop: {
    kind: 'OBJECT';
    name: 'Shop';
    fields: {
      analyticsToken: {
        name: 'analyticsToken';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      checkoutApiSupported: {
        name: 'checkoutApiSupported';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      contactEmail: {
        name: 'contactEmail';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      createdAt: {
        name: 'createdAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      currencyCode: {
        name: 'currencyCode';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'CurrencyCode'; ofType: null } };
      };
      customerAccounts: {
        name: 'customerAccounts';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'ENUM'; name: 'ShopCustomerAccountsSetting'; ofType: null };
        };
      };
      description: { name: 'description'; type: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      email: {
        name: 'email';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      enabledPresentmentCurrencies: {
        name: 'enabledPresentmentCurrencies';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'ENUM'; name: 'CurrencyCode'; ofType: null };
            };
          };
        };
      };
      ianaTimezone: {
        name: 'ianaTimezone';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      id: {
        name: 'id';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'ID'; ofType: null } };
      };
      inventoryItems: {
        name: 'inventoryItems';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'InventoryItemConnection'; ofType: null };
        };
      };
      locations: {
        name: 'locations';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'LocationConnection'; ofType: null };
        };
      };
      marketingSmsConsentEnabledAtCheckout: {
        name: 'marketingSmsConsentEnabledAtCheckout';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      myshopifyDomain: {
        name: 'myshopifyDomain';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      name: {
        name: 'name';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      orderNumberFormatPrefix: {
        name: 'orderNumberFormatPrefix';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      orderNumberFormatSuffix: {
        name: 'orderNumberFormatSuffix';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      orders: {
        name: 'orders';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'OrderConnection'; ofType: null };
        };
      };
      plan: {
        name: 'plan';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'OBJECT'; name: 'ShopPlan'; ofType: null } };
      };
      productVariants: {
        name: 'productVariants';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'ProductVariantConnection'; ofType: null };
        };
      };
      products: {
        name: 'products';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: { kind: 'OBJECT'; name: 'ProductConnection'; ofType: null };
        };
      };
      publicationCount: {
        name: 'publicationCount';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      richTextEditorUrl: {
        name: 'richTextEditorUrl';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
      };
      setupRequired: {
        name: 'setupRequired';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      shipsToCountries: {
        name: 'shipsToCountries';
        type: {
          kind: 'NON_NULL';
          name: never;
          ofType: {
            kind: 'LIST';
            name: never;
            ofType: {
              kind: 'NON_NULL';
              name: never;
              ofType: { kind: 'ENUM'; name: 'CountryCode'; ofType: null };
            };
          };
        };
      };
      shopOwnerName: {
        name: 'shopOwnerName';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      storefrontUrl: {
        name: 'storefrontUrl';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
      };
      taxShipping: {
        name: 'taxShipping';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      taxesIncluded: {
        name: 'taxesIncluded';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      timezoneAbbreviation: {
        name: 'timezoneAbbreviation';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      timezoneOffset: {
        name: 'timezoneOffset';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      timezoneOffsetMinutes: {
        name: 'timezoneOffsetMinutes';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Int'; ofType: null } };
      };
      transactionalSmsDisabled: {
        name: 'transactionalSmsDisabled';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      unitSystem: {
        name: 'unitSystem';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'UnitSystem'; ofType: null } };
      };
      updatedAt: {
        name: 'updatedAt';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'DateTime'; ofType: null } };
      };
      url: {
        name: 'url';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'URL'; ofType: null } };
      };
      weightUnit: {
        name: 'weightUnit';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'WeightUnit'; ofType: null } };
      };
    };
  };
  ShopCustomerAccountsSetting: {
    name: 'ShopCustomerAccountsSetting';
    enumValues: 'DISABLED' | 'OPTIONAL' | 'REQUIRED';
  };
  ShopPlan: {
    kind: 'OBJECT';
    name: 'ShopPlan';
    fields: {
      displayName: {
        name: 'displayName';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      partnerDevelopment: {
        name: 'partnerDevelopment';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
      publicDisplayName: {
        name: 'publicDisplayName';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
      shopifyPlus: {
        name: 'shopifyPlus';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Boolean'; ofType: null } };
      };
    };
  };
  StorefrontID: unknown;
  String: unknown;
  URL: unknown;
  UniqueMetafieldValueInput: {
    kind: 'INPUT_OBJECT';
    name: 'UniqueMetafieldValueInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'key';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
      { name: 'namespace'; type: { kind: 'SCALAR'; name: 'String'; ofType: null }; defaultValue: null },
      {
        name: 'value';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  UnitSystem: { name: 'UnitSystem'; enumValues: 'IMPERIAL_SYSTEM' | 'METRIC_SYSTEM' };
  UnsignedInt64: unknown;
  UserError: {
    kind: 'OBJECT';
    name: 'UserError';
    fields: {
      field: {
        name: 'field';
        type: {
          kind: 'LIST';
          name: never;
          ofType: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
        };
      };
      message: {
        name: 'message';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'String'; ofType: null } };
      };
    };
  };
  WeightInput: {
    kind: 'INPUT_OBJECT';
    name: 'WeightInput';
    isOneOf: false;
    inputFields: [
      {
        name: 'unit';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'ENUM'; name: 'WeightUnit'; ofType: null } };
        defaultValue: null;
      },
      {
        name: 'value';
        type: { kind: 'NON_NULL'; name: never; ofType: { kind: 'SCALAR'; name: 'Float'; ofType: null } };
        defaultValue: null;
      },
    ];
  };
  WeightUnit: { name: 'WeightUnit'; enumValues: 'GRAMS' | 'KILOGRAMS' | 'OUNCES' | 'POUNDS' };
};

/** An IntrospectionQuery representation of your schema.
 *
 * @remarks
 * This is an introspection of your schema saved as a file by GraphQLSP.
 * It will automatically be used by `gql.tada` to infer the types of your GraphQL documents.
 * If you need to reuse this data or update your `scalars`, update `tadaOutputLocation` to
 * instead save to a .ts instead of a .d.ts file.
 */
export type introspection = {
  name: never;
  query: 'QueryRoot';
  mutation: 'Mutation';
  subscription: never;
  types: introspection_types;
};

import * as gqlTada from 'gql.tada';

declare module 'gql.tada' {
  interface setupSchema {
    introspection: introspection;
  }
}
