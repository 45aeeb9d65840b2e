-- +goose Up
CREATE TABLE "products" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "sku" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "price" INTEGER NOT NULL,
    "currency" TEXT NOT NULL,
    "category" TEXT NOT NULL,
    "tags" TEXT NOT NULL,
    "dimensions" TEXT,
    "seller_id" TEXT,
    "created_at" INTEGER NOT NULL,
    "updated_at" INTEGER NOT NULL,
    "row_version" INTEGER NOT NULL
);
CREATE INDEX "products_category_idx" ON "products" ("category");
CREATE INDEX "products_name_id_idx" ON "products" ("name", "id");
CREATE INDEX "products_price_id_idx" ON "products" ("price", "id");
CREATE INDEX "products_created_at_id_idx" ON "products" ("created_at", "id");
CREATE TABLE "reviews" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "product_id" TEXT NOT NULL,
    "rating" INTEGER NOT NULL,
    "title" TEXT,
    "text" TEXT,
    "created_at" INTEGER NOT NULL,
    "row_version" INTEGER NOT NULL,
    FOREIGN KEY ("product_id") REFERENCES "products" ("id") ON DELETE CASCADE
);
CREATE INDEX "reviews_product_id_idx" ON "reviews" ("product_id");
CREATE INDEX "reviews_rating_idx" ON "reviews" ("rating");

-- +goose Down
DROP TABLE "reviews";
DROP TABLE "products";
